import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import { noEngine, type Procedure } from './procedure.ts';
import type { Stage } from './stage.ts';
import { calm, secrets, there } from './world.ts';

/** None of the values is in what a step printed; their names are. */
const masked = (place: number, attempts: number) => async (stage: Stage) => {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const output = await stage.output(place, attempt);
    for (const value of secrets()) expect(output.includes(value), `attempt ${attempt} of step ${place} shows a value of .env`).toBe(false);
  }
};

export const drift: Procedure = {
  number: 9,
  slug: 'configuration-drift-detection',
  title: 'Configuration Drift Detection',
  trouble: ({ house }) => {
    // Somebody has changed more than the machine's beginning has, and nothing lies in the stash of an earlier run.
    if (house.which === 'own') there("cd /srv/brainbytes && git stash clear && sed -i 's/LOG_LEVEL: debug/LOG_LEVEL: trace/' docker/compose.prod.yml");
  },
  facts: () => ({ git: proof('git', 'production') }),
  proves: (before, after, { house }) => {
    expect(before['git']).toContain(' M config/app.json');
    if (house.which === 'users') {
      expect(after['git'], 'it is as committed').not.toContain(' M config/app.json');
    } else {
      expect(after['git'], 'it is as committed').not.toContain(' M docker/compose.prod.yml');
      expect(there('cd /srv/brainbytes && git stash list'), 'what was different is in the stash').toContain('configuration put aside');
    }
  },
  users: {
    reaches: { place: 1, title: 'Compare Environment Files' },
    down: [
      { what: 'engine', step: { place: 3, title: 'Audit MongoDB Connections' }, says: noEngine },
      { what: 'proxy', step: { place: 2, title: 'Verify Traefik Configuration' } },
    ],
    courses: [
      {
        steps: [
          // diff has found differences, which is no failure, and somebody looks before it goes on.
          {
            title: 'Compare Environment Files',
            deeds: [{ comesTo: 'paused', says: ['APP_KEY='] }, { comesTo: 'difference', says: [/^SENTRY_DSN\s*$/m] }],
            then: masked(1, 2),
          },
          { title: 'Verify Traefik Configuration', deeds: [{ says: ['grafana@file', 'without-api'] }] },
          {
            title: 'Audit MongoDB Connections',
            deeds: [{ comesTo: 'failed', says: ['executable file not found'], skips: { command: 1, because: 'MongoDB has no mongo any more' } }],
          },
          { title: 'Rollback', approved: [{ shown: [/git checkout -- config/] }] },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [
      { what: 'engine', before: [1], step: { place: 5, title: 'Look at the connections to MongoDB' }, says: noEngine },
      { what: 'proxy', before: [1], step: { place: 4, title: 'Compare the routes of the proxy' }, says: /curl: \(7\)/ },
    ],
    courses: [
      {
        steps: [
          { title: 'Go to the project' },
          { title: 'Compare the names in the environment files', deeds: [{ says: ['SENTRY_DSN', '600 deploy:deploy .env'] }], then: masked(2, 1) },
          // The backend is described otherwise than it runs.
          { title: 'Compare the containers with the compose file', deeds: [{ comesTo: 'difference', says: ['docker/compose.prod.yml', /[<>] adonisjs /] }] },
          { title: 'Compare the routes of the proxy', deeds: [{ says: ['grafana@file'] }] },
          { title: 'Look at the connections to MongoDB', deeds: [{ says: ['users.json'] }] },
          { title: 'Rollback' },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
};
