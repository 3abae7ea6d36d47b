// The portal below a path of a host: what only the page's program does, in places that know nothing of the path by themselves.
import type { Browser, Page } from '@playwright/test';
import { Below, ways } from './below.ts';
import { expect, lines, Operator, populate, slow, someone, test } from './fixtures.ts';

/** Marks the document that is loaded now; a page that is reached without loading another one keeps the mark. */
const mark = async (page: Page) => await page.evaluate(() => document.documentElement.setAttribute('data-mark', ''));

const isMarked = async (page: Page) => await page.evaluate(() => document.documentElement.hasAttribute('data-mark'));

/** A portal below a path with people in it, and one of them in a browser. */
async function opened(browser: Browser, takesOff: boolean): Promise<{ below: Below; olga: Operator }> {
  const below = await Below.start(takesOff);
  await populate(browser, below.portal);
  return { below, olga: await someone(browser, below.portal, 'olga', true) };
}

for (const { way, takesOff } of ways) {
  test(`below a path, behind a proxy that ${way}, pages follow each other without being loaded, and output is live`, async ({
    browser,
  }) => {
    test.setTimeout(120_000);
    const { below, olga } = await opened(browser, takesOff);
    const { page, portal } = olga;
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => void (/panicked|hydrat/i.test(message.text()) && wrong.push(message.text())));
    try {
      // Links, and the place in the bar that is marked.
      await olga.go('/');
      await mark(page);
      const bar = page.getByRole('navigation', { name: 'Portal' });
      await expect(bar.locator('[aria-current]')).toHaveText('Home');
      await bar.getByRole('link', { name: 'Documents' }).click();
      await expect(page).toHaveURL(`${portal.address}/documents`);
      await expect(page.getByRole('heading', { name: 'Documents', level: 1 })).toBeVisible();
      await expect(bar.locator('[aria-current="page"]')).toHaveText('Documents');

      // The search: by the mouse, and by the keyboard.
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('combobox').fill('first tour');
      await page.getByRole('dialog').getByRole('option').first().click();
      await expect(page).toHaveURL(new RegExp(`^${portal.address}/procedures/first-tour`));
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('combobox').fill('run 4711');
      await expect(page.getByRole('dialog').getByRole('option').first()).toContainText('4711');
      await page.keyboard.press('Enter');
      await expect(page).toHaveURL(`${portal.address}/runs/4711`);
      await page.goBack();
      await expect(page).toHaveURL(new RegExp(`^${portal.address}/procedures/first-tour`));
      await page.goBack();
      await expect(page.getByRole('heading', { name: 'Documents', level: 1 })).toBeVisible();
      await page.goBack();
      await expect(page).toHaveURL(`${portal.address}/`);
      expect(await isMarked(page), 'none of these pages was loaded').toBe(true);

      // A run: the redirect of a call, the stream, and a reload in the middle.
      const run = await olga.start('first-tour', { Visitor: 'Olga' });
      await olga.open(run, 4);
      await olga.press('Run step 4: Watch lines arrive');
      await expect.poll(async () => slow(await olga.log()).length).toBeGreaterThan(0);
      expect(slow(await olga.log()).length).toBeLessThan(20);
      await page.reload();
      await olga.step('Watch lines arrive', 'ok');
      await expect.poll(async () => slow(await olga.log())).toEqual(lines);

      expect(wrong).toEqual([]);
      expect(below.elsewhere).toEqual([]);
    } finally {
      await page.context().close();
      await below.remove();
    }
  });
}

test('the start page opens under the path without a slash behind it, and lives', async ({ browser }) => {
  const { below, olga } = await opened(browser, false);
  const { page, portal } = olga;
  try {
    await olga.go('?x=1');
    await expect(page).toHaveURL(`${portal.address}/?x=1`);
    await mark(page);

    await page.getByRole('navigation', { name: 'Portal' }).getByRole('link', { name: 'History' }).click();

    await expect(page.getByRole('heading', { name: 'History', level: 1 })).toBeVisible();
    expect(await isMarked(page)).toBe(true);
    expect(below.elsewhere).toEqual([]);
  } finally {
    await page.context().close();
    await below.remove();
  }
});

test('a page whose session has ended sends to sign in below the path, and from there back', async ({ browser }) => {
  const { below, olga } = await opened(browser, true);
  const { page, portal } = olga;
  try {
    const run = await olga.start('first-tour', { Visitor: 'Olga' });
    await olga.open(run, 2);
    const other = await page.context().newPage();
    await other.goto(`${portal.address}/account`);
    await other.locator('html[data-ready]').waitFor();
    await other.locator('details.menu.only-wide summary').click();
    await other.getByRole('banner').getByRole('button', { name: 'Sign out' }).filter({ visible: true }).click();
    await expect(other).toHaveURL(`${portal.address}/sign-in`);

    const again = page.getByRole('link', { name: 'Sign in again' });
    await expect(again).toHaveAttribute('href', `${new URL(portal.address).pathname}/sign-in`);
    await page.getByRole('navigation', { name: 'Portal' }).getByRole('link', { name: 'History' }).click();

    await expect(page).toHaveURL(`${portal.address}/sign-in?next=%2Fhistory`);
    expect(below.elsewhere).toEqual([]);
  } finally {
    await page.context().close();
    await below.remove();
  }
});
