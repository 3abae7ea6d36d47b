// What the page of a run keeps for its reader: typed words, focus, place, and the output of every attempt.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, someone, test, type Operator } from './fixtures.ts';

/** Everything in the log, with the borders of commands. */
const rows = (operator: Operator) => operator.page.locator('ol.log > li > span:last-child').allInnerTexts();

/** The field for a reason to skip the step that is shown. */
const reason = (operator: Operator) => operator.page.locator('details.skip').getByLabel('Why it is skipped');

/** Opens the fold around that field and types. */
async function begin(operator: Operator, words: string): Promise<void> {
  await operator.page.locator('details.skip > summary').click();
  await reason(operator).fill(words);
}

/** Writes a note on the step that is shown. */
async function note(operator: Operator, words: string): Promise<void> {
  await operator.page.getByLabel('Note on the step that is shown').fill(words);
  await operator.page.getByRole('button', { name: 'Write note' }).click();
}

test('the output of each step of a closed run opens by its link, and back shows the one before', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.press('Run step 2: Make a scratch folder');
  await operator.step('Make a scratch folder', 'ok');
  await operator.open(run, 3);
  await operator.press('Run step 3: Read something');
  await operator.step('Read something', 'ok');
  await operator.finish('aborted', 'Only looked at.');
  await operator.go(`/runs/${run}`);

  await page.getByRole('link', { name: 'output', exact: true }).first().click();
  await expect(page.getByRole('heading', { name: '2 Make a scratch folder, output of attempt 1' })).toBeVisible();
  await expect.poll(async () => (await operator.log()).join()).toContain('runbook-portal-tour');

  await page.getByRole('link', { name: 'output', exact: true }).nth(1).click();
  await expect(page.getByRole('heading', { name: '3 Read something, output of attempt 1' })).toBeVisible();
  await expect.poll(async () => (await operator.log()).join()).toContain('Linux');

  await page.goBack();
  await expect.poll(async () => (await operator.log()).join()).toContain('runbook-portal-tour');
  await page.goForward();
  await expect.poll(async () => (await operator.log()).join()).toContain('Linux');
});

test('output that is not ASCII and has no end of line stands under its own command', async ({ operator, portal }) => {
  const document = join(portal.runbooks, 'first-tour.md');
  const before = await readFile(document, 'utf8');
  try {
    await writeFile(document, before.replace('uname -srm', "printf 'größer: 10 €'").replace('df -h .', 'echo "and 🚀"'));
    const run = await operator.start('first-tour', { Visitor: 'Olga' });
    await operator.open(run, 3);
    await operator.press('Run step 3: Read something');
    await operator.step('Read something', 'ok');

    await expect.poll(() => rows(operator)).toEqual([
      "$ printf 'größer: 10 €'",
      'größer: 10 €',
      expect.stringMatching(/^exit 0 after/),
      '$ echo "and 🚀"',
      'and 🚀',
      expect.stringMatching(/^exit 0 after/),
    ]);
  } finally {
    await writeFile(document, before);
  }
});

test('what is being typed survives the news of others, and does not go over to another step', async ({
  browser,
  operator,
  portal,
}) => {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await begin(operator, 'half a reason');
  const other = await someone(browser, portal, 'otto', true);
  await other.open(run, 1);

  await note(other, 'Somebody else is here.');
  await other.page.getByRole('button', { name: /^Tick: Find the list/ }).click();

  await expect(operator.page.getByText('Somebody else is here.')).toBeVisible();
  await expect(reason(operator)).toHaveValue('half a reason');
  await operator.page.getByRole('navigation', { name: 'Steps of this run' }).getByText('Read something').click();
  await expect(operator.page.getByRole('heading', { name: 'Read something' })).toBeVisible();
  await expect(reason(operator)).toHaveValue('');
  await other.page.context().close();
});

test('the start of another person leaves a reader where they read', async ({ browser, operator, portal }) => {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 3);
  const other = await someone(browser, portal, 'otto', true);
  await other.open(run, 4);
  await other.takeOver('It is my turn.');

  await other.press('Run step 4: Watch lines arrive');

  await expect(operator.page.getByRole('link', { name: 'Open step 4, which is running' })).toBeVisible();
  await expect(operator.page.getByRole('heading', { name: 'Read something' })).toBeVisible();
  await operator.page.getByRole('link', { name: 'Open step 4, which is running' }).click();
  await expect.poll(async () => (await operator.log()).length).toBeGreaterThan(0);
  await other.press('Stop step 4');
  await other.step('Watch lines arrive', 'stopped');
  await other.page.context().close();
});

test('a key that is held down starts one step', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await page.getByRole('button', { name: /^Run step 2/ }).focus();

  await page.keyboard.down('Enter');
  await operator.step('Make a scratch folder', 'ok');
  // The first step is the next that is not over; its link has the focus now, and the key is still down.
  await expect(page.getByRole('link', { name: /^Open step 1/ })).toBeFocused();
  await page.keyboard.down('Enter');
  await page.keyboard.down('Enter');
  await page.keyboard.up('Enter');

  expect(new URL(page.url()).searchParams.get('step')).toBe('2');
  await expect(page.getByRole('link', { name: /^Open step 1/ })).toBeFocused();
});

test('a tick keeps the focus, so that the next key takes it back', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 1);

  await page.getByRole('button', { name: /^Tick: Find the list/ }).focus();
  await page.keyboard.press('Enter');

  await expect(page.getByRole('button', { name: /^Take the tick back: Find the list/ })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: /^Tick: Find the list/ })).toBeFocused();
});

test('a refusal stands beside what was asked for, with the words that were typed', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await begin(operator, 'x'.repeat(17 * 1024));

  await page.locator('details.skip').getByRole('button', { name: 'Skip step 2' }).click();

  await expect(page.locator('#deeds').getByRole('alert')).toContainText('is the most. Nothing was changed');
  await expect(reason(operator)).toHaveValue(/^x+$/);
});

test('the key after the last tick opens a step that changes something, and does not run it', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 1);
  await expect(page.getByRole('button', { name: 'Mark step 1 as done, with 3 lines not ticked' })).toBeVisible();
  for (const line of [/^Tick: Find the list/, /^Tick: Find the class/, /^Tick: Leave a note/])
    await page.getByRole('button', { name: line }).click();
  await operator.step('Look around first', 'ok');

  await page.keyboard.press('r');

  await expect(page.getByRole('heading', { name: 'Make a scratch folder' })).toBeVisible();
  await operator.step('Make a scratch folder', 'waiting');
});
