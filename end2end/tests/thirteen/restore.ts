import { expect } from '@playwright/test';
import { practice, proof } from '../practice.ts';
import { noEngine, type Course, type Procedure } from './procedure.ts';
import { calm, there } from './world.ts';

const backup = '/srv/backups/nightly-20260301.archive.gz';

const away = () => expect(proof('running').filter((name) => ['adonisjs', 'nextjs'].includes(name))).toEqual([]);
const back = () => expect(proof('running')).toEqual(expect.arrayContaining(['adonisjs', 'nextjs']));

/** Nobody restores a second time on the first approval. */
const again = (values: Record<string, string>, place: number): Course => ({
  values,
  steps: [
    {
      title: 'Restore database',
      place,
      skipped: 'only looked whether it can be started',
      first: async (stage) => await stage.needsALead(place, /^Run step/),
    },
  ],
  verdict: 'aborted',
  comment: 'A second restore needs an approval of its own.',
});

export const restore: Procedure = {
  number: 5,
  slug: 'restore-from-backup',
  title: 'Restore from Backup',
  trouble: () => {
    const good = proof('data');
    // The bundled document has its own names for backups.
    there(`cp -p /srv/backups/latest.dump ${backup}`);
    practice('trouble', 'data');
    expect(proof('data'), 'the data is damaged').not.toEqual(good);
  },
  facts: () => ({ data: proof('data') }),
  proves: (before, after) => {
    expect(before['data']).not.toEqual([]);
    expect(after['data'], 'the data of the backup is there').toEqual(before['data']);
    back();
  },
  users: {
    reaches: { place: 1, title: 'List available backups' },
    down: [{ what: 'engine', step: { place: 4, title: 'Restart services' }, says: noEngine }],
    courses: [
      {
        values: { Backup: '/srv/backups/latest.dump' },
        steps: [
          { title: 'List available backups', deeds: [{ says: ['latest.dump'] }] },
          // The approval comes first: nothing is stopped while a lead decides.
          {
            title: 'Stop dependent services',
            first: async (stage) => {
              await stage.approve(3, 'Restore database', { shown: ['mongorestore', 'Backup file', /latest\.dump/, /old/, /KB|bytes| B\b/] });
              back();
            },
            then: away,
          },
          { title: 'Restore database', then: away },
          { title: 'Restart services', then: back },
        ],
        rest: calm,
        verdict: 'reached',
      },
      again({ Backup: '/srv/backups/latest.dump' }, 3),
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [{ what: 'engine', before: [1], step: { place: 3, title: 'Stop what writes' }, says: noEngine }],
    courses: [
      {
        values: { Backup: backup },
        steps: [
          // It goes to the folder, which an approval holds for.
          { title: 'Go to the project' },
          { title: 'Choose the backup', deeds: [{ says: [/OK/] }] },
          {
            title: 'Stop what writes',
            first: async (stage) => {
              await stage.approve(5, 'Restore database', { shown: ['mongorestore', 'Backup file', /nightly-20260301/, /old/, /KB|bytes| B\b/] });
              back();
            },
            then: away,
          },
          { title: 'Save the present state', then: () => expect(there('ls /srv/backups')).toMatch(/before-restore-\d{8}-\d{6}\.archive\.gz/) },
          { title: 'Restore database', then: away },
          { title: 'Start the services', then: back },
          { title: 'Check the data' },
        ],
        rest: calm,
        verdict: 'reached',
      },
      again({ Backup: backup }, 5),
    ],
  },
};
