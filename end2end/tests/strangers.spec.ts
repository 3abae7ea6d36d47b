import { expect, test } from './fixtures.ts';

test('a set-up link that was used says so and offers no form', async ({ browser, portal, scripts }) => {
  const page = await browser.newPage({ javaScriptEnabled: scripts });

  await page.goto(portal.setUpLink);

  await expect(page.getByRole('heading', { name: 'The portal is set up' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Create the first account' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await expect(page.getByLabel('Sign-in name')).toBeVisible();
  await page.close();
});
