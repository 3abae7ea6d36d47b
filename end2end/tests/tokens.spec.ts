// Tokens for scripts: made on the page of the account, used by a program, ended by their person or by an administrator.
import { request as programs, type APIRequestContext, type Locator, type Page } from '@playwright/test';
import { expect, password, someone, test, type Operator, type Reached } from './fixtures.ts';
import { look } from './look.ts';

const panelOf = (page: Page): Locator => page.getByRole('region', { name: 'Tokens for scripts' });

/** Makes a token; gives its text. The page is the one of the account. */
async function make(page: Page, name: string, role: 'viewer' | 'operator'): Promise<string> {
  const panel = panelOf(page);
  await panel.getByText('Make a token…').click();
  await panel.getByLabel('Name of the token').fill(name);
  await panel.getByLabel('What the script may do').selectOption(role);
  await expect(panel.getByLabel('Days until it expires')).toHaveValue('90');
  await panel.getByLabel('Present password').fill(password);
  await panel.getByRole('button', { name: 'Make token' }).click();
  const text = panel.locator('.secret code');
  await expect(text).toHaveText(/^rbp_[\w-]{43}$/);
  for (const label of ['Name of the token', 'Present password']) await expect(panel.getByLabel(label)).toHaveValue('');
  return await text.innerText();
}

/** A program that has nothing but a token. */
async function program(portal: Reached, token: string): Promise<APIRequestContext> {
  return await programs.newContext({ baseURL: portal.address, extraHTTPHeaders: { Authorization: `Bearer ${token}` } });
}

/** The line of a token, on a page that was loaded anew. */
async function line(person: Operator, name: string): Promise<Locator> {
  await person.go('/account');
  return panelOf(person.page).getByRole('listitem').filter({ hasText: name });
}

test('a token is shown once, lets a program work in runs, and lets it in no more once it is ended', async ({ operator, portal, scripts }) => {
  const { page } = operator;
  await operator.go('/account');
  const token = await make(page, 'nightly tour', 'operator');
  await expect(page.getByRole('status').getByText('Token made')).toBeVisible();
  if (scripts) {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await panelOf(page).getByRole('button', { name: 'Copy token' }).click();
    await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  }
  const itself = await line(operator, 'nightly tour');
  await expect(itself).toContainText('never used');
  await expect(page.getByText(token)).toHaveCount(0);

  const nightly = await program(portal, token);
  const started = await nightly.post('/api/runs/start', {
    form: { slug: 'first-tour', target: 'local', key: crypto.randomUUID(), reason: 'every night' },
  });
  expect(started.status(), await started.text()).toBe(200);
  const run = Number(await started.text());
  expect((await nightly.get(`/runs/${run}`)).status()).toBe(200);
  const account = await nightly.post('/api/account/password', { form: { old: password, new: 'quiet violet otters swim' } });
  expect(account.status()).toBe(403);
  expect(await account.text()).toContain('no token is enough');

  await operator.go(`/runs/${run}`);
  await expect(page.locator('main')).toContainText('every night');
  // No request waits for the record of its use.
  await expect(async () => {
    await expect(await line(operator, 'nightly tour')).toContainText('last used', { timeout: 500 });
  }).toPass();
  await itself.getByRole('button', { name: 'End token nightly tour' }).click();
  await expect(itself).toHaveCount(0);
  const late = await nightly.post('/api/session', { form: {} });
  expect(late.status()).toBe(401);
  expect(late.headers()['www-authenticate']).toBe('Bearer');
  await nightly.dispose();
});

test('an administrator ends the tokens of somebody, and the audit says which', async ({ browser, portal, scripts }) => {
  const vera = await someone(browser, portal, 'vera', scripts);
  await vera.go('/account');
  await panelOf(vera.page).getByText('Make a token…').click();
  const roles = panelOf(vera.page).getByLabel('What the script may do').locator('option');
  await expect(roles).toHaveText([/^viewer: /]);
  await vera.go('/account');
  const token = await make(vera.page, 'board in the hall', 'viewer');
  const board = await program(portal, token);
  expect((await board.post('/api/session', { form: {} })).status()).toBe(200);

  const ada = await someone(browser, portal, 'ada', scripts);
  await ada.go('/people');
  await ada.page.getByRole('button', { name: 'End 1 token of Vera Holm' }).click();
  await expect(ada.page.getByRole('button', { name: /token of Vera Holm/ })).toHaveCount(0);

  expect((await board.post('/api/session', { form: {} })).status()).toBe(401);
  await ada.go('/audit?of=portal');
  const ended = ada.page.getByRole('row').filter({ hasText: 'token ended' }).filter({ hasText: 'board in the hall' }).first();
  await expect(ended).toContainText('Vera Holm');
  await expect(ada.page.getByText(token)).toHaveCount(0);
  await board.dispose();
  for (const person of [vera, ada]) await person.page.context().close();
});

test('the tokens of an account, looked at closely', async ({ browser, portal, scripts }) => {
  test.skip(!scripts, 'the same page');
  test.setTimeout(300_000);
  // Somebody without a second factor, whatever other tests do on this portal.
  const otto = await someone(browser, portal, 'otto', scripts);
  await otto.go('/account');
  await make(otto.page, 'a name that is as long as a name may be, and not one letter more.'.slice(0, 64), 'operator');
  await look(otto.page, 'account-token-made');
  await panelOf(otto.page).getByText('Make a token…').click();
  await look(otto.page, 'account-token-form');
  const ada = await someone(browser, portal, 'ada', scripts);
  await ada.go('/people');
  await look(ada.page, 'people-with-tokens');
  for (const person of [otto, ada]) await person.page.context().close();
});
