// The part of a log that its reader sees: whatever the network does, however long the lines are, it is what they went to.
import { inSight } from './drawn.ts';
import { expect, test, type Operator } from './fixtures.ts';
import { HeldLines } from './held-lines.ts';
import { go, printed, row, shownStep } from './printed.ts';

/** Scrolls the log to a part of its height. */
const scroll = ({ page }: Operator, part: number) => page.locator('ol.log').evaluate((box, part) => (box.scrollTop = box.scrollHeight * part), part);

/** Lets the page take note of what has just happened to it: it does so before its next picture. */
const noticed = ({ page }: Operator) => page.evaluate(() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))));

/** Whether a line near to one is seen. */
const seesAbout = async (operator: Operator, line: number) => (await inSight(operator)).some((seen) => Math.abs(seen - line) < 1_000);

test('lines that arrive while one scrolls on are shown, and what is missing beside them comes after', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, 'seq 1 50000', 'Count in a hurry');
  await expect.poll(() => inSight(operator)).toContain(50_000);
  const held = await HeldLines.of(page);

  await scroll(operator, 0.5);
  await expect.poll(() => held.asked).toBe(1);
  await page.locator('ol.log').evaluate((box) => (box.scrollTop += 400));
  await noticed(operator);
  expect(await inSight(operator), 'nothing has come yet').toEqual([]);
  await held.pass();
  await expect.poll(() => seesAbout(operator, 25_000), 'the answer is used, although another question would be asked').toBe(true);
  await held.end();
  await page.locator('ol.log').evaluate((box) => (box.scrollTop += 6_000));
  await expect.poll(() => seesAbout(operator, 25_300)).toBe(true);
});

test('who scrolls fast over the whole log sees lines where they stop', async ({ operator }) => {
  await printed(operator, 'seq 1 50000', 'Count and rush');
  await expect.poll(() => inSight(operator)).toContain(50_000);

  for (const end of [0.3, 0.8]) {
    for (let part = 0.9; part > 0.1; part -= 0.05) await scroll(operator, part);
    await scroll(operator, end);
    await expect.poll(() => seesAbout(operator, 50_000 * end), `at ${end} of the height`).toBe(true);
  }
});

test('a line to which one goes while a request fails is reached, and a failure of its own is said', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, 'seq 1 50000', 'Count without a network');
  await expect.poll(() => inSight(operator)).toContain(50_000);
  const step = await shownStep(operator);
  const held = await HeldLines.of(page);

  await scroll(operator, 0.5);
  await expect.poll(() => held.asked).toBe(1);
  await page.evaluate((hash) => (location.hash = hash), `s${step}-L40000`);
  await noticed(operator);
  await held.fail();
  await expect.poll(() => held.asked, 'it is asked for after the failure').toBe(2);
  await held.pass();
  await expect.poll(() => inSight(operator)).toContain(40_000);
  await expect(row(operator, 40_000)).toHaveAttribute('data-line', 'chosen');

  await page.evaluate((hash) => (location.hash = hash), `s${step}-L20000`);
  await expect.poll(() => held.asked).toBeGreaterThan(2);
  await held.fail();
  await expect(page.locator('.log-tools .said')).toContainText('The portal cannot be reached');
  await held.end();
  await go(operator, ':20000');
  await expect.poll(() => inSight(operator)).toContain(20_000);
});

test('among lines of which few are given at once each is reached', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, 'sh -c \'for n in $(seq 1 300); do echo "begin $n" $(seq 1 4000) "end $n"; done\'', 'Print long lines');
  await expect.poll(async () => (await operator.log()).join()).toContain('end 300');

  for (const line of [150, 20, 280]) {
    await go(operator, `:${line}`);
    await expect.poll(() => inSight(operator)).toContain(line);
    await expect(row(operator, line)).toContainText(`begin ${line} 1 2 3`);
  }
  for (const wraps of ['false', 'true']) {
    const [first] = await inSight(operator);
    const wrap = page.getByRole('button', { name: 'Wrap: break long lines' });
    await wrap.click();
    await expect(wrap).toHaveAttribute('aria-pressed', wraps);
    await noticed(operator);
    await expect.poll(() => inSight(operator), 'what is seen first stays in sight, whatever height lines have').toContain(first);
  }
});

test('the middle of a line that is longer than all pieces can be read', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, "sh -c 'echo first; seq -s, 1 60000; seq 1 3000'", 'Print an endless line');
  await expect.poll(() => inSight(operator)).toContain(3_002);

  await go(operator, ':2');
  await expect.poll(() => inSight(operator)).toContain(2);
  await expect(row(operator, 2)).toContainText('1,2,3,4');
  await page.locator('ol.log').getByRole('link', { name: 'Read on' }).first().click();
  await page.waitForURL(/from=\d+/);
  const middle = page.locator('ol.log > li').filter({ hasText: '29999,30000,30001' });
  await expect(middle).toHaveCount(1);
  await middle.scrollIntoViewIfNeeded();
  await expect(middle).toBeInViewport();
});

test('a link to a line in a stored piece of a log leads to it', async ({ operator }) => {
  const run = await printed(operator, 'seq 1 3000', 'Count for a piece');
  const step = await shownStep(operator);

  await operator.go(`/runs/${run}?step=${step}&attempt=1&from=0#s${step}-L1500`);

  await expect.poll(() => inSight(operator)).toContain(1_500);
  await expect(row(operator, 1_500)).toHaveAttribute('data-line', 'chosen');
});

test('where all commands are folded each stands with its end, also for who follows again', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, 'seq 1 3000\nseq 1 2500', 'Count twice');
  await expect.poll(() => inSight(operator)).toContain(5_500);
  const borders = page.locator('ol.log > li[data-kind="boundary"] > span:last-child');
  const expected = [/^\$ seq 1 3000$/, /^exit 0 after/, /^\$ seq 1 2500$/, /^exit 0 after/];

  await page.getByRole('button', { name: 'Fold: hide the output of commands that have ended, or show it again' }).click();
  await expect(borders).toHaveText(expected);
  await expect.poll(() => operator.log()).toEqual([]);
  await page.locator('ol.log').focus();
  await page.keyboard.press('End');
  await expect(borders).toHaveText(expected);
  await page.getByRole('button', { name: 'Show the output of command 1' }).click();
  await expect.poll(() => inSight(operator)).toContain(1);
});

test('paper says that it has a part of a log, and nothing where it has all', async ({ operator }) => {
  const { page } = operator;
  const note = page.getByText('Paper shows the lines in view. The whole output is the raw download.');
  await printed(operator, 'seq 1 3000', 'Count for paper');
  await expect.poll(() => inSight(operator)).toContain(3_000);

  await expect(note).toBeHidden();
  await page.emulateMedia({ media: 'print' });
  await expect(note).toBeVisible();
  await page.emulateMedia({ media: null });
  await printed(operator, 'seq 1 30', 'Count for a small paper');
  await expect.poll(() => inSight(operator)).toContain(30);
  await page.emulateMedia({ media: 'print' });
  await expect(page.locator('ol.log')).toBeVisible();
  await expect(note).toHaveCount(0);
});
