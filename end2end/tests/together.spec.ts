// Several people in one run: one works, the others see it, and anybody can go on where somebody stopped.
import { expect, someone, test } from './fixtures.ts';

test('another operator sees who works in a run, takes it over, and the first one is told', async ({
  browser,
  operator,
  portal,
  scripts,
}) => {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  const other = await someone(browser, portal, 'otto', scripts);
  await other.open(run, 2);
  await expect(other.page.getByText('Olga Marin works in this run.')).toBeVisible();
  await expect(other.page.getByRole('button', { name: /^Run step 2/ })).toHaveCount(0);

  await other.takeOver('Her shift is over.');
  await other.open(run, 2);
  await other.press(/^Run step 2/);
  await other.step('Make a scratch folder', 'ok');

  await operator.open(run, 3);
  await expect(operator.page.getByText('Otto Brandt works in this run.')).toBeVisible();
  await operator.takeOver('I go on myself.');
  await operator.open(run, 3);
  await expect(operator.page.getByText('works in this run.')).toHaveCount(0);
  await other.page.context().close();
});

test('a command that is not in the document is added, run, and offered to the document', async ({ operator, scripts }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.add('echo surprise $((6 * 7))', 'See whether it counts');
  await operator.press('Run the added step: See whether it counts');
  await operator.step('See whether it counts', 'ok');
  if (scripts) await expect.poll(() => operator.log()).toContain('surprise 42');

  await operator.go(`/runs/${run}`);
  await operator.finish('aborted', 'only tried');
  await expect(page.getByLabel('Change of the document')).toContainText('+   echo surprise $((6 * 7))');
});

test('a run is given up while a step runs: the step stops, and the run closes', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 4);
  await operator.press('Run step 4: Watch lines arrive');
  await operator.step('Watch lines arrive', 'running');

  const fold = page.locator('details.take').filter({ hasText: `Give up run ${run}` });
  await fold.locator('summary').click();
  await fold.getByLabel('Why it is given up').fill('the wrong host');
  await fold.getByRole('button', { name: 'Stop the step and give up the run' }).click();

  await operator.until(async () => {
    await expect(page.getByRole('heading', { name: 'Steps as they were' })).toBeVisible();
  });
  await expect(page.getByText('the wrong host').first()).toBeVisible();
  await expect(page.getByText('aborted').first()).toBeVisible();
});
