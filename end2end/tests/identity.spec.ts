// People for whom others vouch: an identity provider, and a proxy that names whoever asks.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext } from '@playwright/test';
import { expect, Operator, populate, someone, test } from './fixtures.ts';
import { code } from './factor.ts';
import { look } from './look.ts';
import { Portal } from './portal.ts';
import { client, IdentityProvider } from './provider.ts';
import { Proxy } from './proxy.ts';

// The certificate is made for the test.
test.use({ ignoreHTTPSErrors: true });
test.setTimeout(120_000);

const map = `
[[identity.map]]
group = "ops"
role = "operator"
[[identity.map]]
group = "leads"
role = "lead"
`;

/** The secret between the proxy and the portal. */
const shared = '0123456789abcdef0123456789abcdef';

/** A portal behind nginx, below a path perhaps, at which people sign in with a provider. */
class Provided {
  private constructor(
    readonly proxy: Proxy,
    readonly provider: IdentityProvider,
    readonly portal: Portal,
  ) {}

  static async start(browser: Browser, base = ''): Promise<Provided> {
    const proxy = await Proxy.make('nginx', base);
    const provider = await IdentityProvider.start(`${proxy.address}/sign-in/back`);
    await writeFile(join(proxy.folder, 'client-secret'), client.secret);
    const oidc = ['[identity.oidc]', `issuer = "${provider.issuer}"`, `client_id = "${client.id}"`, 'client_secret = "oidc"', 'label = "Example"'];
    const secret = ['[secret.oidc]', 'file = "client-secret"'];
    const portal = await Portal.start(undefined, await proxy.configure(['127.0.0.1'], [...oidc, map, ...secret].join('\n')));
    await proxy.start(portal.port);
    const provided = new Provided(proxy, provider, portal);
    await populate(browser, provided.reached);
    return provided;
  }

  get reached() {
    return { address: this.proxy.address, setUpLink: this.portal.setUpLink };
  }

  /** Somebody in a browser of their own, who is not signed in. */
  async visitor(browser: Browser, scripts: boolean): Promise<Operator> {
    const context = await browser.newContext({ javaScriptEnabled: scripts, ignoreHTTPSErrors: true });
    return new Operator(await context.newPage(), this.reached, scripts);
  }

  async remove(): Promise<void> {
    await this.proxy.remove();
    await this.portal.remove();
    this.provider.stop();
  }
}

for (const base of ['', '/runbooks']) {
  test(`at a provider people sign in${base && ` below ${base}`}, come to the page that they wanted, and have the role of their groups`, async ({ browser, scripts }) => {
    const provided = await Provided.start(browser, base);
    try {
      const nora = await provided.visitor(browser, scripts);
      await nora.go('/history');
      await expect(nora.page).toHaveURL(`${provided.proxy.address}/sign-in?next=/history`);
      await nora.page.getByRole('link', { name: 'Sign in with Example' }).click();
      await provided.provider.signIn(nora.page, 'nora');
      await expect(nora.page).toHaveURL(`${provided.proxy.address}/history`);
      await nora.go('/account');
      await expect(nora.page.locator('.facts-line')).toContainText('lead');
      await expect(nora.page.locator('.facts-line')).toContainText('nora of elsewhere');

      // Signing out is from the portal; the provider knows them still, and asks nothing.
      await nora.page.getByRole('button', { name: 'Sign out' }).click();
      await expect(nora.page).toHaveURL(`${provided.proxy.address}/sign-in`);
      await nora.go('/history');
      await nora.page.getByRole('link', { name: 'Sign in with Example' }).click();
      await expect(nora.page).toHaveURL(`${provided.proxy.address}/history`);
      await nora.page.context().close();
    } finally {
      await provided.remove();
    }
  });
}

test('whom the map does not name is told so, and an account with a password is nobody else’s', async ({ browser, scripts }) => {
  const provided = await Provided.start(browser);
  try {
    for (const [name, sentence] of [
      ['eve', 'nothing says what you may do here'],
      ['ada', 'has your sign-in name already'],
    ] as const) {
      const visitor = await provided.visitor(browser, scripts);
      await visitor.go('/sign-in');
      await visitor.page.getByRole('link', { name: 'Sign in with Example' }).click();
      await provided.provider.signIn(visitor.page, name);
      await expect(visitor.page).toHaveURL(new RegExp('/sign-in\\?problem='));
      await expect(visitor.page.getByRole('alert')).toContainText(sentence);
      await visitor.page.context().close();
    }
    const ada = await someone(browser, provided.reached, 'ada', scripts);
    await ada.go('/people');
    await expect(ada.page.getByRole('rowheader', { name: 'Ada Lind' })).toBeVisible();
    await expect(ada.page.getByRole('rowheader', { name: /eve/ })).toHaveCount(0);
    await ada.page.context().close();
  } finally {
    await provided.remove();
  }
});

test('a lead without a password sets a second factor up after the provider has asked again', async ({ browser, scripts }) => {
  const provided = await Provided.start(browser);
  try {
    const nora = await provided.visitor(browser, scripts);
    await nora.go('/sign-in');
    if (scripts) await look(nora.page, 'sign-in-with-provider');
    await nora.page.getByRole('link', { name: 'Sign in with Example' }).click();
    await provided.provider.signIn(nora.page, 'nora');
    await expect(nora.page).toHaveURL(`${provided.proxy.address}/`);
    await nora.go('/account');
    await expect(nora.page.getByText('You have none here: the identity provider says who you are.')).toBeVisible();
    const panel = nora.page.getByRole('region', { name: 'Second factor' });

    const again = panel.getByRole('link', { name: 'Sign in there again' });
    await expect(again).toBeVisible();
    await again.click();
    await provided.provider.signIn(nora.page, 'nora');
    await expect(nora.page).toHaveURL(`${provided.proxy.address}/account`);
    if (scripts) await nora.page.locator('html[data-ready]').waitFor();
    await panel.getByRole('button', { name: 'Set up an authenticator app' }).click();
    const secret = await panel.locator('.secret code').innerText();
    await panel.getByLabel('Code that the app shows now').fill(code(secret));
    await panel.getByRole('button', { name: 'Switch on authenticator app' }).click();
    await expect(nora.page.getByText('Authenticator app switched on')).toBeVisible();
    await nora.page.context().close();
  } finally {
    await provided.remove();
  }
});

test('without the provider the page says so, and passwords work', async ({ browser, scripts }) => {
  const provided = await Provided.start(browser);
  try {
    provided.provider.stop();
    const visitor = await provided.visitor(browser, scripts);
    await visitor.go('/sign-in');
    await visitor.page.getByRole('link', { name: 'Sign in with Example' }).click();
    await expect(visitor.page.getByRole('alert')).toContainText('The identity provider does not answer');
    await visitor.page.context().close();
    const olga = await someone(browser, provided.reached, 'olga', scripts);
    await olga.page.context().close();
  } finally {
    await provided.remove();
  }
});

/** nginx as it is after it has asked who somebody is; here a cookie says so. It takes away what the browser claims to be. */
const naming = (server: string) =>
  'map $cookie_who $whose { default ""; lena "leads"; nils "ops,football"; }\n' +
  server.replace(
    'proxy_set_header Host $http_host;',
    `proxy_set_header Host $http_host; proxy_set_header X-User $cookie_who; proxy_set_header X-Groups $whose; proxy_set_header X-Secret ${shared};`,
  );

test('behind a proxy that names people nobody signs in, and the session ends with its word', async ({ browser, scripts }) => {
  const proxy = await Proxy.make('nginx');
  await writeFile(join(proxy.folder, 'shared'), shared);
  const identity = ['[identity.proxy]', 'user_header = "X-User"', 'groups_header = "X-Groups"', 'secret_header = "X-Secret"'];
  const rest = ['shared_secret = "proxy"', map, '[secret.proxy]', 'file = "shared"'];
  const portal = await Portal.start(undefined, await proxy.configure(['127.0.0.1'], [...identity, ...rest].join('\n')));
  try {
    await proxy.start(portal.port, naming);
    const reached = { address: proxy.address, setUpLink: portal.setUpLink };
    await populate(browser, reached);
    const becomes = async (context: BrowserContext, who: string) =>
      await context.addCookies([{ name: 'who', value: who, url: `${proxy.address}/` }]);
    const context = await browser.newContext({
      javaScriptEnabled: scripts,
      ignoreHTTPSErrors: true,
      extraHTTPHeaders: { 'X-User': 'ada', 'X-Groups': 'leads', 'X-Secret': 'guessed' },
    });
    const person = new Operator(await context.newPage(), reached, scripts);

    await person.go('/history');
    await expect(person.page).toHaveURL(`${proxy.address}/sign-in?next=/history`);

    await becomes(context, 'nils');
    await person.go('/history');
    await expect(person.page).toHaveURL(`${proxy.address}/history`);
    await person.go('/account');
    await expect(person.page.locator('.facts-line')).toContainText('operator');

    // The word of the proxy enrols no second factor: that takes a code which an administrator hands over.
    const ada = await someone(browser, reached, 'ada', scripts);
    await ada.go('/people');
    await ada.page.getByRole('button', { name: 'Make enrolment code for nils' }).click();
    const enrolment = await ada.page.locator('.callout .secret code').innerText();
    await ada.page.context().close();
    const panel = person.page.getByRole('region', { name: 'Second factor' });
    await panel.getByLabel('Enrolment code').fill(enrolment);
    await panel.getByRole('button', { name: 'Set up an authenticator app' }).click();
    await expect(panel.locator('.secret code')).toBeVisible();

    await becomes(context, 'lena');
    await person.go('/account');
    await expect(person.page.getByRole('alert')).toContainText('has your sign-in name already');

    await becomes(context, 'nils');
    await person.go('/account');
    await person.page.getByRole('button', { name: 'Sign out' }).click();
    await expect(person.page.getByText('says that you are nils')).toBeVisible();
    await person.page.getByRole('link', { name: 'Go on as nils' }).click();
    await expect(person.page).toHaveURL(`${proxy.address}/`);
    await context.clearCookies({ name: 'who' });
    await person.go('/history');
    await expect(person.page).toHaveURL(`${proxy.address}/sign-in?next=/history`);
    await context.close();
  } finally {
    await proxy.remove();
    await portal.remove();
  }
});
