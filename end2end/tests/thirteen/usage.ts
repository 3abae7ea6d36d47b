import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import { noEngine, type Procedure } from './procedure.ts';
import { calm } from './world.ts';

const backends = (many: string) => () => expect(proof('replicas', 'adonisjs')).toEqual([many]);

export const usage: Procedure = {
  number: 4,
  slug: 'handle-high-cpu-memory-usage',
  title: 'Handle High CPU/Memory Usage',
  facts: () => ({ backends: proof('replicas', 'adonisjs') }),
  proves: (before, after) => expect([before, after], 'there was one, and is one').toEqual([{ backends: ['1'] }, { backends: ['1'] }]),
  users: {
    reaches: { place: 1, title: 'Identify problematic container' },
    down: [{ what: 'engine', step: { place: 3, title: 'Check application logs' }, says: noEngine }],
    courses: [
      {
        steps: [
          { title: 'Identify problematic container', deeds: [{ watches: [{ command: 1, screen: true }] }] },
          { title: 'Get detailed metrics', deeds: [{ watches: [{ command: 1, screen: true }, { command: 2, screen: true }] }] },
          { title: 'Check application logs', deeds: [{ says: ['DEBUG adonisjs: tick'] }] },
          { title: 'Temporary mitigation', deeds: [{ choice: 'Scale up service if possible' }], then: backends('2') },
          { title: 'Rollback', deeds: [{ choice: 'Scale back down if scaling caused issues' }], then: backends('1') },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [{ what: 'engine', before: [1], step: { place: 2, title: 'Find the container' }, says: noEngine }],
    courses: [
      {
        steps: [
          { title: 'Go to the project' },
          { title: 'Find the container', deeds: [{ says: ['oom=false'] }] },
          { title: 'Watch it for a minute', deeds: [{ watches: [{ command: 1, screen: true }, { command: 2, screen: true }] }] },
          { title: 'Read the log before you relieve it' },
          { title: 'Relieve it', deeds: [{ choice: 'Option 2: run a second backend' }], then: backends('2') },
          { title: 'See that it helped', deeds: [{ says: ['adonisjs_2'] }] },
          { title: 'Rollback', then: backends('1') },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
};
