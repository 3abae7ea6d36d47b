import { expect, test } from './fixtures.ts';

test('an operator works through the first tour and finds it in the history', async ({ operator }) => {
  test.setTimeout(120_000);
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: "O'Brien" }, 'to learn');

  await operator.open(run, 1);
  await operator.press(/^Mark step 1 as done/);
  await operator.step('Look around first', 'ok');

  for (const [step, title] of [
    [2, 'Make a scratch folder'],
    [3, 'Read something'],
    [4, 'Watch lines arrive'],
    [5, 'Fill in values'],
  ] as const) {
    await operator.open(run, step);
    await operator.press(`Run step ${step}: ${title}`);
    await operator.step(title, 'ok');
  }
  await operator.open(run, 5);
  await expect(page.getByText("Good morning, O'Brien.").first()).toBeVisible();

  await operator.open(run, 6);
  await operator.press('Run step 6: Stop a watch');
  await operator.step('Stop a watch', 'watching');
  await operator.press('Stop watch and go on');
  await operator.step('Stop a watch', 'ok');

  await operator.open(run, 7);
  await operator.press('Run step 7: Find a difference');
  await operator.step('Find a difference', 'paused');
  await operator.press(/^Run the rest of step 7/);
  await operator.step('Find a difference', 'difference');

  await operator.open(run, 8);
  await operator.press('Run step 8: See through a pipeline');
  await operator.step('See through a pipeline', 'failed');
  await operator.skipStep('on purpose');
  await operator.step('See through a pipeline', 'skipped');

  await operator.open(run, 9);
  await operator.press('Run step 9: Skip a command that fails');
  await operator.step('Skip a command that fails', 'failed');
  await operator.skip(1, 'there is no such folder');
  await operator.press(/^Run the rest of step 9/);
  await operator.step('Skip a command that fails', 'ok');

  await operator.open(run, 10);
  await operator.press(/^Run “Option 2/);
  await operator.step('Choose one way', 'ok');

  await operator.open(run, 11);
  await page.getByLabel(/^Type local/).fill('local');
  await operator.press('Run step 11: Remove the scratch folder');
  await operator.step('Remove the scratch folder', 'ok');
  await operator.finish('reached');

  await operator.go('/history');
  const row = page.getByRole('row').filter({ has: page.locator(`a[href="/runs/${run}"]`) });
  await expect(row).toContainText('reached');
  await operator.go(`/runs/${run}`);
  await expect(page.getByText('exit 0').first()).toBeVisible();
  await expect(page.getByText('on purpose').first()).toBeVisible();
  // What was skipped after it had failed still says how it failed, and with which values a step ran.
  await expect(page.getByText(/^skipped, exit [12] before$/).first()).toBeVisible();
  await expect(page.getByText(/visitor=O'Brien/).first()).toBeVisible();
  await expect(page.getByText(/ended the watch, command 1 of step 6$/)).toBeVisible();
});

test('what destroys does not start, and the page says that it needs an approval', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('restore-from-backup');

  await operator.open(run, 5);

  await expect(page.getByRole('heading', { name: 'Restore database' })).toBeVisible();
  // An approval is of exactly what will run: its value comes first.
  await expect(page.getByRole('heading', { name: 'Needs a lead' })).toBeVisible();
  await expect(page.getByRole('checkbox', { name: /step 5, Restore database/ })).toBeDisabled();
  await expect(page.getByText('Set backup first.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Ask for approval' })).toBeDisabled();
  await expect(page.getByText('Skip step 5…')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Run step 5: Restore database' })).toBeDisabled();
});
