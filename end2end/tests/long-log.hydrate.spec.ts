// A log that no page could hold: seen, searched, linked, copied and folded all the same.
import { inSight, ROWS, watchDrawn } from './drawn.ts';
import { expect, test } from './fixtures.ts';
import { look } from './look.ts';
import { field, go, printed } from './printed.ts';

test('fifty thousand lines are reached by scrolling, by their numbers and by keys, and few of them are drawn', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, 'seq 1 50000', 'Count far');
  const list = page.locator('ol.log');
  await expect.poll(() => inSight(operator)).toContain(50_000);
  const most = await watchDrawn(page);

  expect(await list.locator('> li').count()).toBeLessThanOrEqual(ROWS);
  await list.evaluate((box) => (box.scrollTop = box.scrollHeight / 2));
  await expect.poll(async () => (await inSight(operator)).some((line) => line > 24_000 && line < 26_000)).toBe(true);
  expect(await list.locator('> li').count()).toBeLessThanOrEqual(ROWS);
  await go(operator, ':12345');
  await expect.poll(() => inSight(operator)).toContain(12_345);
  await list.focus();
  await page.keyboard.press('Home');
  await expect.poll(() => inSight(operator)).toContain(1);
  await page.keyboard.press('PageDown');
  await expect.poll(() => inSight(operator)).not.toContain(1);
  await page.keyboard.press('End');
  await expect.poll(() => inSight(operator)).toContain(50_000);
  expect((await most()).rows, 'rows that were drawn at once, wherever it went').toBeLessThanOrEqual(ROWS);
  await look(page, 'long-log');
});

test('the bar beside a log stands where the lines are that one sees', async ({ operator }) => {
  await printed(operator, 'seq 1 50000', 'Count far again');
  const list = operator.page.locator('ol.log');
  await expect.poll(() => inSight(operator)).toContain(50_000);

  for (const line of [1_000, 20_000, 40_000, 49_000]) {
    await go(operator, `:${line}`);
    await expect.poll(() => inSight(operator)).toContain(line);
    const at = await list.evaluate((box) => box.scrollTop / box.scrollHeight);
    expect(Math.abs(at - line / 50_000), `line ${line} at ${at}`).toBeLessThan(0.01);
  }
});

test('the whole log is searched at the portal, as text and as an expression', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, 'seq 1 50000', 'Count and search');
  await expect.poll(() => inSight(operator)).toContain(50_000);
  await page.locator('ol.log').focus();

  await page.keyboard.press('Control+f');
  await expect(field(operator)).toBeFocused();
  await field(operator).fill('4999');
  await expect(page.locator('#hits')).toHaveText(/of 15 lines$/);
  await go(operator, ':1');
  await expect.poll(() => inSight(operator)).toContain(1);
  await field(operator).fill('4999');
  await expect(page.locator('#hits')).toHaveText('1 of 15 lines');
  await expect.poll(() => inSight(operator)).toContain(4_999);
  await expect(page.locator('li[data-line="now"] mark')).toHaveText('4999');
  await field(operator).press('F3');
  await expect(page.locator('#hits')).toHaveText('2 of 15 lines');
  await expect.poll(() => inSight(operator)).toContain(14_999);
  await field(operator).press('Shift+F3');
  await field(operator).press('Shift+F3');
  await expect(page.locator('#hits'), 'behind the last one begins again').toHaveText('15 of 15 lines');

  await page.getByRole('button', { name: 'Read it as a regular expression' }).click();
  await field(operator).fill('^2..00$');
  await expect(page.locator('#hits')).toHaveText(/of 100 lines$/);
  await field(operator).fill('(');
  await expect(page.locator('#hits')).toContainText('not a regular expression');
});

test('a link leads to its lines, and what is chosen is copied however far it reaches', async ({ browser, operator, portal }) => {
  const { page } = operator;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: portal.address });
  await printed(operator, 'seq 1 50000', 'Count and copy');
  await go(operator, ':100');
  await page.getByRole('link', { name: '100', exact: true }).click();
  await go(operator, ':3000');
  await page.getByRole('link', { name: '3,000', exact: true }).click({ modifiers: ['Shift'] });
  await expect(page).toHaveURL(/#s\d+-L100-L3000$/);

  await page.getByRole('button', { name: 'Copy the chosen lines, or all' }).click();
  await expect(page.getByText('Copied 2,901 lines.')).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(Array.from({ length: 2_901 }, (_, index) => `${index + 100}\n`).join(''));

  await page.getByRole('button', { name: 'Copy the link to the line, L' }).click();
  await expect(page.getByText('Copied the link to lines 100 to 3,000.')).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const context = await browser.newContext({ storageState: await page.context().storageState() });
  const other = await context.newPage();
  await other.goto(link);
  await expect(other.locator('li[data-line="chosen"]').first()).toContainText('100');
  await context.close();
});

test('downloads that go on side by side stay in their rows', async ({ operator }) => {
  const command = "sh -c 'printf \"pull\\nweb 10\\ndb 20\\n\"; for n in 1 2 3; do printf \"\\033[2A\\033[Kweb 9$n\\n\\033[Kdb 9$n\\n\"; done; echo up'";
  await printed(operator, command, 'Pull two images');

  await expect.poll(async () => (await operator.log()).map((line) => line.split(' redraws')[0]!.replace(/ \d+$/, '').trim())).toHaveLength(4);
  const rows = (await operator.log()).map((line) => line.trim());
  expect(rows[0]).toBe('pull');
  expect(rows[1]).toMatch(/^web 93/);
  expect(rows[2]).toMatch(/^db 93/);
  expect(rows[3]).toBe('up');
});

test('the output of a command folds away, and the first failure is one key away', async ({ operator }) => {
  const { page } = operator;
  await printed(operator, 'seq 1 20000\nls /no/such/place/at/all', 'Count and fail', 'failed');
  await expect.poll(async () => (await operator.log()).join()).toContain('no/such/place');

  await go(operator, ':$1');
  await expect.poll(() => inSight(operator)).toContain(1);
  await page.getByRole('button', { name: 'Fold the output of command 1' }).click();
  await expect.poll(async () => (await operator.log()).length).toBeLessThan(5);
  await expect(page.locator('ol.log li[data-folded]')).toContainText('$ seq 1 20000');
  expect((await operator.log()).join()).toContain('no/such/place');
  await page.getByRole('button', { name: 'Show the output of command 1' }).click();
  await expect.poll(() => inSight(operator)).toContain(1);

  await page.locator('ol.log').focus();
  await page.keyboard.press('f');
  await expect.poll(() => inSight(operator)).toContain(20_001);
  await expect(page.getByText('Command 2 failed: its last line is shown.')).toBeVisible();
});

test('lines can be shown with their times and without a break, and the page stays as wide as it is', async ({ operator }) => {
  const { page } = operator;
  await page.setViewportSize({ width: 390, height: 844 });
  await printed(operator, "sh -c 'seq 1 400 | tr \"\\n\" \" \"; echo; echo end'", 'Print a long line');

  await page.getByRole('button', { name: 'Times: show when lines were printed, in UTC' }).click();
  await expect(page.locator('ol.log li[data-at]').last()).toHaveAttribute('data-at', /^\d\d:\d\d:\d\d\.\d{3}$/);
  const share = await page.locator('ol.log').evaluate((box) => {
    const text = box.querySelector('li[data-at] > span:last-child');
    return (text?.clientWidth ?? 0) / box.clientWidth;
  });
  expect(share, 'on a phone the time takes nothing from the width of the text').toBeGreaterThan(0.7);
  await page.getByRole('button', { name: 'Wrap: break long lines' }).click();
  const list = page.locator('ol.log');
  await expect.poll(() => list.evaluate((box) => box.scrollWidth > box.clientWidth)).toBe(true);
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(width[0], 'only the log itself scrolls sideways').toBe(width[1]);
  await page.getByRole('button', { name: 'Wrap: break long lines' }).click();
  await page.getByRole('button', { name: 'Times: show when lines were printed, in UTC' }).click();
});

test('an attempt that has ended is shown once more as it was printed, and can be taken home as a recording', async ({ operator, portal }) => {
  const { page } = operator;
  await printed(operator, "sh -c 'echo first; sleep 2; echo second; sleep 2; echo third'", 'Print slowly');
  await expect.poll(async () => (await operator.log()).map((line) => line.trim())).toEqual(['first', 'second', 'third']);

  await page.getByRole('button', { name: 'Replay: show it once more, as it was printed' }).click();
  await expect.poll(async () => (await operator.log()).map((line) => line.trim()), { intervals: [50] }).toEqual(['first']);
  await expect.poll(async () => (await operator.log()).map((line) => line.trim())).toEqual(['first', 'second', 'third']);
  await page.getByRole('button', { name: 'End replay' }).click();
  await expect(page.getByRole('group', { name: 'Replay' })).toHaveCount(0);
  await expect.poll(async () => (await operator.log()).map((line) => line.trim())).toEqual(['first', 'second', 'third']);

  const href = (await page.getByRole('link', { name: 'Download a recording with its timing, asciicast' }).getAttribute('href')) ?? '';
  const recording = await page.request.get(new URL(href, portal.address).href);
  expect(recording.headers()['content-disposition']).toContain('.cast"');
  expect(JSON.parse((await recording.text()).split('\n')[0]!)).toMatchObject({ version: 3, term: { cols: 160, rows: 48 } });
});
