// A full-screen program: the page shows its screen as it stands, and goes on showing what it left.
import { expect, test, type Operator } from './fixtures.ts';
import { look } from './look.ts';

/** Adds a step of one command to a run of the tour, starts it, and gives its screen with the run's number. */
async function paints(operator: Operator, command: string, title: string) {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.add(command, title);
  await operator.press(`Run the added step: ${title}`);
  return { run, screen: operator.page.getByRole('group', { name: `Screen of ${command}`, exact: true }) };
}

test('top is followed as a screen, and its last one stays in the log', async ({ operator, scripts }) => {
  test.setTimeout(120_000);
  const { page } = operator;
  const { run, screen } = await paints(operator, 'top', 'Watch the processes');

  await operator.until(async () => {
    await expect(screen).toContainText('PID USER', { timeout: scripts ? 20_000 : 300 });
    await expect(page.getByRole('button', { name: 'Press q' })).toBeVisible({ timeout: scripts ? 20_000 : 300 });
  });
  const first = screen.locator('div').first();
  const then = await first.innerText();
  expect(then).toMatch(/^top - /);
  await operator.until(async () => await expect(first).not.toHaveText(then));
  await expect(page.getByText(/^top - /)).toHaveCount(1);
  if (scripts) await look(page, 'screen');

  await page.getByRole('button', { name: 'Press q' }).click();
  await operator.step('Watch the processes', 'ok');
  await operator.until(async () => await expect(page.getByText('Last screen of top.')).toBeVisible());
  await expect(first).toHaveText(/^top - /);
  await expect(page.getByText(/^top - /)).toHaveCount(1);

  // Who comes later sees the same.
  const label = (await page.getByRole('list', { name: /^Output of step/ }).getAttribute('aria-label')) ?? '';
  await operator.go(`/runs/${run}?step=${/step (\d+)/.exec(label)?.[1]}&attempt=1`);
  await expect(page.getByText('Last screen of top.')).toBeVisible();
  await expect(first).toHaveText(/^top - /);
  if (scripts) await look(page, 'screen-left');
});

test('what a pager showed stands between what was printed before and after it', async ({ operator, scripts }) => {
  const { page } = operator;
  await page.setViewportSize({ width: 390, height: 844 });
  const command = "sh -c 'echo before; seq 500 | less; echo after'";
  const { screen } = await paints(operator, command, 'Read something long');

  await operator.until(async () => {
    await expect(screen).toContainText('47', { timeout: scripts ? 20_000 : 300 });
    await expect(page.getByRole('button', { name: 'Press q' })).toBeVisible({ timeout: scripts ? 20_000 : 300 });
  });
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(width[0], 'only the screen itself scrolls sideways').toBe(width[1]);
  await page.getByRole('button', { name: 'Press q' }).click();

  await operator.step('Read something long', 'ok');
  await operator.until(async () => await expect(page.getByText(/^Last screen of sh -c/)).toBeVisible());
  expect((await operator.log()).map((line) => line.trim())).toEqual(['before', 'after']);
  await expect(screen).toContainText('47');
});
