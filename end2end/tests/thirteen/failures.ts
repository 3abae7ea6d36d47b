import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import type { Procedure } from './procedure.ts';
import type { Stage } from './stage.ts';
import { there } from './world.ts';

const checkout = '/home/ci/brainbytes';

/** The three ways back are a choice, of which nothing runs in a row. */
const isAChoice = (place: number) => async (stage: Stage) => {
  await stage.olga.open(stage.run, place);
  const deeds = stage.page.locator('#deeds');
  await expect(deeds).toContainText('The document offers a choice');
  for (const option of [1, 2, 3]) await expect(deeds.getByRole('button', { name: new RegExp(`^Run “Option ${option}: `) })).toBeVisible();
};

export const failures: Procedure = {
  number: 8,
  slug: 'test-failure-analysis',
  title: 'Test Failure Analysis',
  facts: () => ({ tests: proof('git', 'tests'), production: proof('git', 'production') }),
  proves: (before, after, { house }) => {
    expect(before['tests']).toContain(' M frontend/test/greeting.test.js');
    expect(after['production'], 'production was not touched').toEqual(before['production']);
    if (house.which === 'users') {
      expect(after['tests'], 'the edited test is as committed').not.toContain(' M frontend/test/greeting.test.js');
      expect(after['tests'], 'nothing else was thrown away').toContain(' M backend/test/rates.test.js');
    } else {
      expect(after['tests']?.[0]).toContain('Revert "Count lessons by whole hours"');
      expect(there(`cd ${checkout} && pnpm --dir backend test:ci 2>&1 || true`, 'ci')).toContain('fail 0');
    }
  },
  users: {
    reaches: { place: 2, title: 'Reproduce Locally' },
    courses: [
      {
        target: 'tests',
        steps: [
          // A block of comments is a list of things to do.
          { title: 'Examine Test Output', byHand: { line: '3. Select the failed workflow run', note: 'run 16' } },
          // The failing tests are passed to reach those of the frontend, whose folder is not in the backend's.
          {
            title: 'Reproduce Locally',
            deeds: [
              { comesTo: 'failed', says: ['fail 1'], skips: { command: 3, because: 'the failure is known now' } },
              { comesTo: 'failed', says: [/cd: .*frontend/], skips: { command: 4, because: 'that folder is beside this one' } },
            ],
            then: async (stage) => {
              await stage.goTo(`${checkout}/frontend`);
              await stage.deed(2, 'Reproduce Locally', { says: ['fail 0'] });
            },
          },
          { title: 'Check Test Artifacts', byHand: true },
          {
            title: 'Rollback',
            first: isAChoice(4),
            approved: [{ choice: 'Option 1: Revert test files only', shown: [/git checkout -- test/] }],
            deeds: [{ choice: 'Option 1: Revert test files only' }],
          },
        ],
        verdict: 'rolled back',
        comment: 'The cause is the last commit. The tests that somebody had edited are as committed.',
      },
    ],
  },
  own: {
    reaches: { place: 2, title: 'Go to the checkout' },
    courses: [
      {
        target: 'tests',
        steps: [
          { title: 'Read the failed run', byHand: { line: 'Open the failed run', note: 'run 16' } },
          { title: 'Go to the checkout' },
          { title: 'See where it stands', deeds: [{ says: ['Count lessons by whole hours', 'backend/test/rates.test.js'] }] },
          { title: 'Repeat the backend tests', deeds: [{ comesTo: 'failed', says: ['fail 1'], skips: { command: 2, because: 'the failure is known now' } }] },
          { title: 'Repeat the front-end tests', deeds: [{ says: ['fail 0'] }] },
          { title: 'Tell a flaky test from a broken one', deeds: [{ says: ['round 1 red', 'round 5 red'] }] },
          { title: 'Read what the run left behind', byHand: true },
          { title: 'Rollback', first: isAChoice(8), deeds: [{ choice: 'Option 2: take back the last commit' }] },
        ],
        verdict: 'reached',
      },
    ],
  },
};
