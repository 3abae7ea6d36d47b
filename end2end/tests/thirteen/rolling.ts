import { expect } from '@playwright/test';
import { practice, proof } from '../practice.ts';
import { away, noEngine, type Procedure } from './procedure.ts';
import { calm, there } from './world.ts';

const versions = () => ({ backend: proof('version', 'adonisjs'), frontend: proof('version', 'nextjs') });
const one = () => expect(versions(), 'one service at a time').toEqual({ backend: ['2'], frontend: ['1'] });

export const rolling: Procedure = {
  number: 12,
  slug: 'rolling-update-strategy',
  title: 'Rolling Update Strategy',
  trouble: () => {
    practice('trouble', 'login');
    for (const service of ['adonisjs', 'nextjs']) practice('publish', service, 'v2');
  },
  facts: versions,
  proves: (before, after, { house }) => {
    expect(before).toEqual({ backend: ['1'], frontend: ['1'] });
    if (house.which === 'own') expect(after, 'version 2 came and went').toEqual(before);
    else expect(proof('made', 'mongo').join(), 'the saved configuration is in force').toContain('backup-config-');
  },
  users: {
    reaches: { place: 1, title: 'Pre-Deployment' },
    down: [
      { what: 'engine', values: { Service: 'adonisjs' }, step: { place: 2, title: 'Deploy Update' }, says: noEngine },
      { what: 'registry', values: { Service: 'adonisjs' }, step: { place: 2, title: 'Deploy Update' }, says: away },
      // Only its expected outcome asks Prometheus.
      { what: 'prometheus' },
    ],
    courses: [
      {
        values: { Service: 'adonisjs' },
        steps: [
          // The name of the file is what the machine's clock says when it runs.
          {
            title: 'Pre-Deployment',
            then: () => {
              const saved = proof('saved').map((line) => line.split(' ')[0]);
              expect(saved).toEqual([`backup-config-${there('date +%Y%m%d').trim()}.yml`]);
            },
          },
          { title: 'Deploy Update', then: one },
          { title: 'Verify', deeds: [{ watches: [{ command: 2, said: 'Attaching to' }], says: ['HTTP/1.1 200'] }] },
        ],
        rest: calm,
        rollback: [{ title: 'Rollback' }],
        verdict: 'rolled back',
        comment: 'The configuration is that of before. The image is not: its tag has moved.',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [
      { what: 'engine', before: [1], step: { place: 2, title: 'Start from a healthy state' }, says: noEngine },
      { what: 'registry', before: [1], values: { Service: 'adonisjs' }, step: { place: 4, title: 'Update one service' }, says: away },
    ],
    courses: [
      {
        values: { Service: 'adonisjs' },
        steps: [
          { title: 'Go to the project' },
          { title: 'Start from a healthy state', deeds: [{ says: ['"version":"1"'] }] },
          {
            title: 'Keep configuration and image',
            then: () => {
              expect(there('ls /srv/brainbytes/docker')).toMatch(/before-\d{8}-\d{6}\.yml/);
              expect(proof('images').join('\n')).toContain('brainbytes-kept/adonisjs:before ');
            },
          },
          { title: 'Update one service', then: one },
          { title: 'Verify before the next one', deeds: [{ watches: [{ command: 2, said: 'Attaching to' }], says: ['"version":"2"'] }] },
        ],
        rest: calm,
        rollback: [{ title: 'Rollback', deeds: [{ choice: 'Option 1: the image is bad' }] }],
        verdict: 'rolled back',
        comment: 'Version 2 was tried, and version 1 runs again.',
      },
    ],
  },
};
