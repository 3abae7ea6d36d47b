import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import { noEngine, type Procedure } from './procedure.ts';
import { calm, released } from './world.ts';

const versions = () => ({ backend: proof('version', 'adonisjs'), frontend: proof('version', 'nextjs') });
const areAt = (version: string) => () => expect(versions()).toEqual({ backend: [version], frontend: [version] });

export const deploy: Procedure = {
  number: 2,
  slug: 'deploy-new-version',
  title: 'Deploy New Version',
  facts: versions,
  proves: (before, after) => expect(after, 'version 2 came and went').toEqual(before),
  users: {
    reaches: { place: 2, title: 'Monitor deployment' },
    down: [{ what: 'engine', step: { place: 2, title: 'Monitor deployment' }, says: noEngine }],
    courses: [
      {
        values: { 'Previous version': 'v1' },
        steps: [
          {
            title: 'Trigger deployment',
            byHand: { line: 'Select branch and version tag', note: 'main, version 2' },
            then: () => {
              released();
              areAt('2')();
            },
          },
          { title: 'Monitor deployment', deeds: [{ watches: [{ command: 1, said: 'Attaching to' }], says: ['HTTP/2 200'] }] },
          { title: 'Verify deployment', byHand: { line: 'Run smoke tests', note: 'all green' } },
        ],
        rest: calm,
        // Neither image is a service to Compose. What the two commands mean is done in a step of its own; the others then go back.
        rollback: [
          {
            title: 'Fetch the version before',
            added: ['adonisjs', 'nextjs']
              .map((name) => `docker pull ghcr.io/brainbytes/${name}:v1\ndocker tag ghcr.io/brainbytes/${name}:v1 ghcr.io/brainbytes/${name}:current`)
              .join('\n'),
          },
          {
            title: 'Rollback',
            place: 4,
            deeds: [
              { comesTo: 'failed', says: ['No such service'], skips: { command: 1, because: 'done in a step of its own' } },
              { comesTo: 'paused' },
              {
                choice: 'Rollback frontend if needed',
                comesTo: 'failed',
                says: ['No such service'],
                skips: { command: 3, because: 'done in a step of its own' },
              },
              { choice: 'Rollback frontend if needed' },
            ],
          },
        ],
        verdict: 'rolled back',
        comment: 'Version 2 was tried, and version 1 runs again.',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [{ what: 'engine', before: [1], step: { place: 2, title: 'Keep a way back' }, says: noEngine }],
    courses: [
      {
        steps: [
          { title: 'Go to the project' },
          {
            title: 'Keep a way back',
            then: () => {
              const kept = proof('images').filter((line) => line.startsWith('brainbytes-kept/'));
              expect(kept.map((line) => line.split(' ')[0])).toEqual(['brainbytes-kept/adonisjs:before', 'brainbytes-kept/nextjs:before']);
            },
          },
          { title: 'Start the workflow', byHand: { line: 'Wait until the job that publishes', note: 'run 17' }, then: released },
          { title: 'Follow the roll-out', deeds: [{ watches: [{ command: 1, said: 'Attaching to' }], says: ['"version":"2"'] }] },
          { title: 'Verify as a user would', byHand: true, then: areAt('2') },
        ],
        rest: calm,
        rollback: [{ title: 'Rollback', deeds: [{ comesTo: 'paused', says: ['"version":"1"'] }, { choice: 'If the front end was part of the release' }] }],
        verdict: 'rolled back',
        comment: 'Version 2 was tried, and version 1 runs again.',
      },
    ],
  },
};
