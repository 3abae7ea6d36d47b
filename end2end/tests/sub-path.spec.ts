// The portal below a path of a host that other applications share: everything that works with and without scripts.
import { readFile } from 'node:fs/promises';
import { Below, ways } from './below.ts';
import { expect, firstAccount, newAccount, Operator, password, someone, test } from './fixtures.ts';

for (const { way, takesOff } of ways) {
  test(`below a path, behind a proxy that ${way}, a person sets up, works and leaves, and never gets out of it`, async ({
    browser,
    scripts,
  }) => {
    test.setTimeout(120_000);
    const below = await Below.start(takesOff);
    const { portal } = below;
    try {
      const context = await browser.newContext({ javaScriptEnabled: scripts });
      const page = await context.newPage();
      const operator = new Operator(page, portal, scripts);

      // The console's link leads below the path, and so does what comes after it.
      expect(portal.setUpLink).toContain(`${portal.address}/set-up?token=`);
      await firstAccount(page, portal);

      // A run, with a step, a note and a verdict.
      const run = await operator.start('first-tour', { Visitor: 'Ada' }, 'to see it below a path');
      await expect(page).toHaveURL(new RegExp(`^${portal.address}/runs/${run}`));
      await operator.open(run, 2);
      await operator.press('Run step 2: Make a scratch folder');
      await operator.step('Make a scratch folder', 'ok');
      await page.reload();
      await operator.step('Make a scratch folder', 'ok');
      await operator.open(run, 3);
      await operator.skipStep('seen before');
      await operator.step('Read something', 'skipped');
      await operator.go(`/runs/${run}`);
      await operator.finish('aborted', 'only looked');

      // What a person takes along.
      const evidence = page.getByRole('link', { name: 'Evidence', exact: true });
      await expect(evidence).toHaveAttribute('href', `${new URL(portal.address).pathname}/runs/${run}/evidence`);
      const download = page.waitForEvent('download');
      await evidence.click();
      expect((await readFile(await (await download).path())).length).toBeGreaterThan(1_000);
      const raw = await page.request.get(`${portal.address}/runs/${run}/output/2/1`);
      expect(raw.status()).toBe(200);

      // By links, back, and forward again.
      await operator.go('/');
      await page.getByRole('navigation', { name: 'Portal' }).getByRole('link', { name: 'History' }).click();
      await expect(page).toHaveURL(`${portal.address}/history`);
      await page.getByRole('row').filter({ hasText: 'First tour' }).getByRole('link').first().click();
      await expect(page).toHaveURL(`${portal.address}/runs/${run}`);
      await page.goBack();
      await expect(page.getByRole('heading', { name: 'History', level: 1 })).toBeVisible();
      await page.goBack();
      await expect(page).toHaveURL(`${portal.address}/`);
      await page.goForward();
      await expect(page).toHaveURL(`${portal.address}/history`);

      // Searching is a form of the browser's own.
      await page.getByLabel('Words in title or reason').fill('below a path');
      await page.getByRole('button', { name: 'Show runs' }).click();
      await expect(page).toHaveURL(new RegExp(`^${portal.address}/history\\?words=below`));
      await expect(page.getByRole('row').filter({ hasText: 'First tour' })).toHaveCount(1);

      // A page that is not there still knows the way.
      await operator.go('/absent');
      await page.getByRole('link', { name: 'Open the start page' }).click();
      await expect(page).toHaveURL(`${portal.address}/`);

      // Out, and back by a deep link.
      await page.locator('details.menu.only-wide summary').click();
      await page.getByRole('button', { name: 'Sign out' }).filter({ visible: true }).click();
      await expect(page).toHaveURL(`${portal.address}/sign-in`);
      await operator.go(`/runs/${run}?step=2`);
      await expect(page).toHaveURL(new RegExp(`^${portal.address}/sign-in\\?next=`));
      await page.getByLabel('Sign-in name').fill('ada');
      await page.getByLabel('Password').fill('wrong, of course');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByText('The sign-in name or the password is wrong')).toBeVisible();
      await page.getByLabel('Sign-in name').fill('ada');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page).toHaveURL(`${portal.address}/runs/${run}?step=2`);
      await context.close();

      expect(below.elsewhere).toEqual([]);
    } finally {
      await below.remove();
    }
  });
}

test('other people get their accounts, change their password and are seen, all below the path', async ({ browser, scripts }) => {
  const below = await Below.start(true);
  const { portal } = below;
  try {
    const context = await browser.newContext({ javaScriptEnabled: scripts });
    const page = await context.newPage();
    await firstAccount(page, portal);
    await page.goto(`${portal.address}/people`);
    if (scripts) await page.locator('html[data-ready]').waitFor();
    await newAccount(page, 'olga', 'Olga Marin', 'operator');
    expect(page.url().split('?')[0]).toBe(`${portal.address}/people`);

    const olga = await someone(browser, portal, 'olga', scripts);
    await olga.go('/people');
    await expect(olga.page.getByRole('heading', { name: 'This is not for your role' })).toBeVisible();
    await olga.page.context().close();
    await context.close();
    expect(below.elsewhere).toEqual([]);
  } finally {
    await below.remove();
  }
});
