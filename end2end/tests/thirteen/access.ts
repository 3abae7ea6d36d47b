import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import { noEngine, type Procedure } from './procedure.ts';
import type { Stage } from './stage.ts';
import { there } from './world.ts';

/** What stands behind the procedure in the user's file is not a part of it. */
const noCertificate = async ({ page }: Stage) => {
  await expect(page.getByRole('navigation', { name: 'Steps of this run' })).not.toContainText(/certificate|Traefik/i);
};

export const access: Procedure = {
  number: 13,
  slug: 'user-access-ssh-audit',
  title: 'User Access & SSH Audit',
  quick: true,
  facts: () => ({ groups: proof('groups', 'jdoe'), keys: proof('authorized'), served: proof('served'), signals: proof('signals') }),
  proves: (before, after) => {
    expect(before['groups']).toEqual(expect.arrayContaining(['docker', 'sudo']));
    expect(after['groups'], 'both memberships are gone').not.toEqual(expect.arrayContaining(['docker']));
    expect(after['groups']).not.toEqual(expect.arrayContaining(['sudo']));
    expect([after['keys'], after['served'], after['signals']], 'nothing else was touched').toEqual([before['keys'], before['served'], before['signals']]);
  },
  users: {
    reaches: { place: 1, title: 'Audit SSH Access' },
    down: [{ what: 'engine', step: { place: 2, title: 'Review Docker Access' }, says: noEngine }],
    courses: [
      {
        values: { Account: 'jdoe' },
        steps: [
          { title: 'Audit SSH Access', deeds: [{ says: ['jdoe', 'NOPASSWD'] }], then: noCertificate },
          { title: 'Review Docker Access', deeds: [{ says: [/docker:.*jdoe/, 'adonisjs'] }] },
          { title: 'Verify Firewall', deeds: [{ says: ['Status: active', ':22'] }] },
          { title: 'Rollback', approved: [{ shown: [/sudo deluser/] }] },
        ],
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 2, title: 'List keys and rights' },
    down: [{ what: 'engine', step: { place: 3, title: 'List access to docker' }, says: noEngine }],
    courses: [
      {
        values: { Account: 'jdoe' },
        steps: [
          { title: 'Connect to the host', byHand: true },
          { title: 'List keys and rights', deeds: [{ says: ['jdoe', 'NOPASSWD'] }] },
          { title: 'List access to docker', deeds: [{ says: [/docker:.*jdoe/, 'adonisjs'] }] },
          { title: 'Look at the doors', deeds: [{ says: ['Status: active', ':22'] }] },
          { title: 'Compare with the list', byHand: { line: 'Each member of', note: 'jdoe has left the project' } },
          {
            title: 'Close what should be closed',
            deeds: [{ comesTo: 'paused' }],
            then: async (stage) => {
              expect(there('cat /srv/backups/members-*.txt')).toMatch(/docker:.*jdoe/);
              for (const choice of ['If docker is not needed any more', 'If sudo is not needed any more']) {
                await stage.approve(6, 'Close what should be closed', { choice, shown: [/sudo -n deluser/] });
                await stage.olga.open(stage.run, 6);
                await stage.deed(6, 'Close what should be closed', { choice, comesTo: 'paused' });
              }
              await stage.skip(4, 'the account stays');
              await stage.state('Close what should be closed', 'ok');
            },
          },
        ],
        verdict: 'reached',
      },
    ],
  },
};
