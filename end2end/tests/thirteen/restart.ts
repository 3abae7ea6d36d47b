import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import { noEngine, type Procedure } from './procedure.ts';
import { calm } from './world.ts';

const started = () => ({ started: proof('started', 'adonisjs'), container: proof('container', 'adonisjs') });

export const restart: Procedure = {
  number: 1,
  slug: 'restart-adonisjs-backend-service',
  title: 'Restart AdonisJS Backend Service',
  facts: started,
  proves: (before, after) => {
    expect((after['started']?.[0] ?? '') > (before['started']?.[0] ?? ''), `${before['started']} and then ${after['started']}`).toBe(true);
    expect(after['container'], 'a restart keeps the container').toEqual(before['container']);
  },
  users: {
    reaches: { place: 1, title: 'SSH into the production server' },
    down: [{ what: 'engine', step: { place: 3, title: 'Verify service status' }, says: noEngine }],
    courses: [
      {
        values: { 'Previous version': 'v1' },
        steps: [
          { title: 'SSH into the production server', then: async ({ page }) => await expect(page.getByText('deploy@127.0.0.1').first()).toBeVisible() },
          { title: 'Restart the backend service' },
          { title: 'Verify service status', deeds: [{ says: ['adonisjs', 'listening on port 3333'] }] },
          // As it is written, the first command of the rollback names no service. It is skipped with a reason, and the rest is done.
          {
            title: 'Rollback',
            deeds: [{ comesTo: 'failed', says: ['No such service'], skips: { command: 1, because: 'it names no service' } }, {}],
          },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Connect to the host' },
    down: [{ what: 'engine', before: [1], step: { place: 2, title: 'Keep what you see now' }, says: noEngine }],
    courses: [
      {
        steps: [
          { title: 'Connect to the host' },
          { title: 'Keep what you see now', deeds: [{ says: [/started \d{4}-/] }] },
          { title: 'Restart the backend' },
          { title: 'Wait until it answers', deeds: [{ says: ['"status":"ok"'] }] },
          { title: 'Verify', deeds: [{ says: ['listening on port 3333'] }] },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
};
