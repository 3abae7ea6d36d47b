// One's own account: second factor, passkeys, password, sessions. Tokens have a spec of their own.
import { expect, Operator, password, populate, someone, test as base } from './fixtures.ts';
import { code, setUp } from './factor.ts';
import { look } from './look.ts';
import { Portal } from './portal.ts';

// Accounts are changed here: every test has a portal of its own.
const test = base.extend<{ own: Portal; olga: Operator }>({
  own: async ({ browser }, use) => {
    const portal = await Portal.start();
    await populate(browser, portal);
    await use(portal);
    await portal.remove();
  },
  olga: async ({ browser, own, scripts }, use) => {
    const olga = await someone(browser, own, 'olga', scripts);
    await use(olga);
    await olga.page.context().close();
  },
});

test('an authenticator app is set up, asked for and removed', async ({ olga }) => {
  const { page } = olga;
  await olga.go('/account');

  const { secret, codes } = await setUp(page);

  expect(codes).toHaveLength(10);
  const panel = page.getByRole('region', { name: 'Second factor' });
  await expect(panel).toContainText('10 recovery codes left');
  await expect(page.getByText(secret)).toHaveCount(0);
  await expect(page.getByText(codes[0] ?? '')).toHaveCount(0);
  const fold = panel.locator('details').filter({ hasText: 'Remove the authenticator app' });
  await fold.locator('summary').click();
  await fold.getByLabel('Present password').fill(password);
  await fold.getByLabel('Code of your second factor').fill('000000');
  await fold.getByRole('button', { name: 'Remove authenticator app' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'The code is wrong' })).toBeVisible();
  await olga.go('/account');
  await fold.locator('summary').click();
  await fold.getByLabel('Present password').fill(password);
  await fold.getByLabel('Code of your second factor').fill(code(secret, 1));
  await fold.getByRole('button', { name: 'Remove authenticator app' }).click();
  await expect(page.getByRole('status').getByText('Removed')).toBeVisible();
  await expect(panel).toContainText('You have none yet');
});

test('sessions are listed and ended, and the password ends them all', async ({ olga, own, browser, scripts }) => {
  const other = await someone(browser, own, 'olga', scripts);
  const third = await someone(browser, own, 'olga', scripts);
  await olga.go('/account');
  const sessions = olga.page.getByRole('region', { name: 'Sessions' });
  await expect(sessions.getByRole('listitem')).toHaveCount(3);
  await expect(sessions.getByText('this one')).toHaveCount(1);
  await expect(sessions.getByText('from 127.0.0.1')).toHaveCount(3);

  await sessions.getByRole('button', { name: /^End session/ }).first().click();
  await expect(sessions.getByRole('listitem')).toHaveCount(2);
  await sessions.getByRole('button', { name: 'End all other sessions' }).click();
  await expect(sessions.getByRole('listitem')).toHaveCount(1);
  for (const ended of [other, third]) {
    await ended.page.goto(`${own.address}/history`);
    await expect(ended.page).toHaveURL(/\/sign-in\?next=\/history/);
  }
  const again = await someone(browser, own, 'olga', scripts);
  const change = olga.page.locator('form').filter({ has: olga.page.getByLabel('New password') });
  await change.getByLabel('Present password').fill(password);
  await olga.page.getByLabel('New password').fill('quiet Marin otters swim');
  await olga.press('Change password');
  await expect(olga.page.getByRole('alert').filter({ hasText: 'name in it' })).toBeVisible();
  await olga.go('/account');
  await change.getByLabel('Present password').fill(password);
  await olga.page.getByLabel('New password').fill('quiet violet otters swim');
  await olga.press('Change password');
  await expect(olga.page.getByText('Password changed')).toBeVisible();
  await again.page.goto(`${own.address}/history`);
  await expect(again.page).toHaveURL(/\/sign-in/);
  for (const person of [other, third, again]) await person.page.context().close();
});

test('an administrator ends the sessions of somebody', async ({ olga, own, browser, scripts }) => {
  const ada = await someone(browser, own, 'ada', scripts);
  await ada.go('/people');

  await ada.page.getByRole('button', { name: 'End 1 session of Olga Marin' }).click();

  await expect(ada.page.getByRole('button', { name: /session of Olga Marin/ })).toHaveCount(0);
  await olga.page.goto(`${own.address}/history`);
  await expect(olga.page).toHaveURL(/\/sign-in/);
  await ada.page.context().close();
});

test('a passkey is added, proves its person, and is removed', async ({ own, browser, scripts }) => {
  // Browsers make no passkey for an address of numbers.
  const address = own.address.replace('127.0.0.1', 'localhost');
  const page = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await page.goto(`${address}/sign-in?next=/account`);
  await page.getByLabel('Sign-in name').fill('olga');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const panel = page.getByRole('region', { name: 'Passkeys' });
  if (!scripts) {
    await expect(panel).toContainText('takes scripts');
    await expect(panel.getByText('Add a passkey…')).toBeHidden();
    return await page.context().close();
  }
  await page.locator('html[data-ready]').waitFor();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });

  await panel.getByText('Add a passkey…').click();
  await panel.getByLabel('Name of the passkey').fill('laptop');
  await panel.getByLabel('Present password').fill(password);
  await panel.getByRole('button', { name: 'Add passkey' }).click();
  await expect(page.getByRole('status').getByText('Passkey added')).toBeVisible();
  await expect(panel.getByText('laptop', { exact: true })).toBeVisible();

  const fold = panel.locator('details').filter({ hasText: 'Remove laptop' });
  await fold.locator('summary').click();
  await fold.getByLabel('Present password').fill(password);
  await fold.getByRole('button', { name: 'Remove laptop', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'second factor as well' })).toBeVisible();
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await fold.getByRole('button', { name: 'Go on with a passkey' }).click();
  await expect(fold.getByText('The passkey did not answer')).toBeVisible();
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  await fold.getByRole('button', { name: 'Go on with a passkey' }).click();
  await expect(page.getByRole('status').getByText('Removed')).toBeVisible();
  await expect(panel.getByText('laptop', { exact: true })).toHaveCount(0);
  await page.context().close();
});

test('the page of the account in all its states', async ({ olga, own, scripts }) => {
  test.skip(!scripts, 'the same page');
  test.setTimeout(300_000);
  await olga.go('/account');
  await look(olga.page, 'account-without-factor');
  const panel = olga.page.getByRole('region', { name: 'Second factor' });
  await panel.getByLabel('Present password').fill(password);
  await panel.getByRole('button', { name: 'Set up an authenticator app' }).click();
  await expect(panel.getByRole('img', { name: 'QR code of the secret' })).toBeVisible();
  await look(olga.page, 'account-set-up');
  await panel.getByRole('button', { name: 'Do not set it up' }).click();
  await setUp(olga.page);
  await panel.getByText('Remove the authenticator app…').click();
  await look(olga.page, 'account-with-authenticator');
  expect(own.console).not.toContain('panicked');
});
