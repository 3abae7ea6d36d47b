// What scripts add to going from place to place: keys, the search, menus that close, a focus that follows.
import { expect, test } from './fixtures.ts';

const tour = '/procedures/first-tour';

test('j and k go from step to step of a procedure, and the contents say where one is', async ({ operator }) => {
  const { page } = operator;
  await page.setViewportSize({ width: 1440, height: 800 });
  await operator.go(tour);
  const current = page.getByRole('navigation', { name: 'On this page' }).locator('[aria-current]');
  await expect(current).toHaveText('Summary');

  await page.keyboard.press('j');
  await expect(current).toHaveText(/^1 /);
  await page.keyboard.press('j');
  await expect(current).toHaveText(/^2 /);
  await page.keyboard.press('k');
  await expect(current).toHaveText(/^1 /);
  await expect(page).toHaveURL(/#step-1$/);
});

test('the contents follow the reader to the end of the page', async ({ operator }) => {
  const { page } = operator;
  await page.setViewportSize({ width: 1440, height: 800 });
  await operator.go(tour);

  await page.keyboard.press('End');

  await expect(page.getByRole('navigation', { name: 'On this page' }).locator('[aria-current]')).toHaveText(/^Last runs/);
});

test('the menu of a phone closes over the next page, at Escape and when something else is pressed', async ({ operator }) => {
  const { page } = operator;
  await page.setViewportSize({ width: 390, height: 844 });
  await operator.go('/');
  const menu = page.locator('details.menu.only-narrow');
  const open = async () => {
    await menu.locator('summary').click();
    await expect(menu).toHaveAttribute('open', '');
  };

  await open();
  await menu.getByRole('link', { name: 'History' }).click();
  await expect(page).toHaveURL(/\/history$/);
  await expect(menu).not.toHaveAttribute('open');

  await open();
  await page.keyboard.press('Escape');
  await expect(menu).not.toHaveAttribute('open');
  await expect(menu.locator('summary')).toBeFocused();

  await open();
  await page.mouse.click(20, 600);
  await expect(menu).not.toHaveAttribute('open');
});

test('a page that is reached by a link gets the focus, and a page that was loaded does not', async ({ operator }) => {
  const { page } = operator;
  await operator.go('/');
  await expect(page.locator('main')).not.toBeFocused();

  await page.getByRole('navigation', { name: 'Portal' }).getByRole('link', { name: 'Documents' }).click();

  await expect(page.getByRole('heading', { name: 'Documents', level: 1 })).toBeVisible();
  await expect(page.locator('main')).toBeFocused();
});

test('the search closes when the chosen page is the present one', async ({ operator }) => {
  const { page } = operator;
  await operator.go('/history');
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').fill('history');
  await page.getByRole('option', { name: /^History/ }).click();

  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page).toHaveURL(/\/history$/);
});

test('the search finds a run by its number, marks what it found and keeps the choice in sight', async ({ operator }) => {
  const { page } = operator;
  await operator.go('/');
  await page.keyboard.press('Control+k');
  const search = page.getByRole('dialog').getByRole('combobox');
  await search.fill('tour');
  await expect(page.getByRole('option').first().locator('mark')).toHaveText(/^tour$/i);

  await search.fill('');
  await expect(page.getByRole('option').nth(8)).toBeAttached();
  for (let down = 0; down < 8; down++) await page.keyboard.press('ArrowDown');
  await expect(page.locator('[role="option"][aria-selected="true"]')).toBeInViewport();

  await search.fill('run 4711');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/runs\/4711$/);
});

test('the button that starts a run names the target that is chosen', async ({ operator }) => {
  const { page } = operator;
  await operator.go(tour);

  const target = await page.getByLabel('Target').inputValue();
  await expect(page.getByRole('button', { name: `Start run on ${target}` })).toBeVisible();
});

test('a command is copied as it is shown, and the button says so when it is done', async ({ operator }) => {
  const { page } = operator;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await operator.go(tour);
  const card = page.locator('.cmd').filter({ has: page.getByRole('button', { name: 'Copy command' }) }).first();
  const shown = (await card.locator('pre').innerText()).trim();

  await card.getByRole('button', { name: 'Copy command' }).click();

  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.endsWith(shown)).toBe(true);
});

test('the search finds a procedure by what is wrong, and a step by its command', async ({ operator }) => {
  const { page } = operator;
  await operator.go('/');
  await page.keyboard.press('Control+k');
  const search = page.getByRole('dialog').getByRole('combobox');

  await search.fill('OOM');
  await expect(page.getByRole('option', { name: /ran out of memory/ })).toContainText('Handle High CPU/Memory Usage');
  await search.fill('mongorestore');
  await page.getByRole('option', { name: /Restore database/ }).first().click();

  await expect(page).toHaveURL(/\/procedures\/restore-from-backup#step-\d+$/);
});
