// The portal behind the proxies that people have, with TLS and with compression and buffering switched on.
import { expect, Operator, password, populate, someone, test } from './fixtures.ts';
import { Portal } from './portal.ts';
import { kinds, Proxy } from './proxy.ts';

// The certificate is made for the test; `doctor` looks at trust.
test.use({ ignoreHTTPSErrors: true });
test.setTimeout(300_000);

// One of them with the portal below a path of its host.
const bases = { nginx: '', haproxy: '/runbooks', traefik: '' };

for (const kind of kinds) {
  test(`behind ${kind}${bases[kind]}, people sign in, work through a run, and come back to its address`, async ({ browser, scripts }) => {
    const proxy = await Proxy.make(kind, bases[kind]);
    const portal = await Portal.start(undefined, await proxy.configure());
    try {
      await proxy.start(portal.port);
      const reached = { address: proxy.address, setUpLink: portal.setUpLink };
      await populate(browser, reached);

      const operator = await someone(browser, reached, 'olga', scripts);
      const run = await operator.start('first-tour', { Visitor: 'Olga' });
      await operator.open(run, 4);
      await operator.press('Run step 4: Watch lines arrive');
      await operator.step('Watch lines arrive', 'ok');

      // A deep link, and the way back.
      await operator.go('/history');
      await operator.page.goBack();
      await expect(operator.page).toHaveURL(new RegExp(`^${proxy.address}/runs/${run}`));
      await operator.page.reload();
      await expect(operator.page.getByRole('navigation', { name: 'Steps of this run' })).toBeVisible();

      // Who is not signed in comes to the address that somebody has sent, after signing in.
      const visitor = new Operator(await browser.newPage({ javaScriptEnabled: scripts }), reached, scripts);
      await visitor.go(`/runs/${run}?step=1`);
      await visitor.page.getByLabel('Sign-in name').fill('vera');
      await visitor.page.getByLabel('Password').fill(password);
      await visitor.page.getByRole('button', { name: 'Sign in' }).click();
      await expect(visitor.page).toHaveURL(`${proxy.address}/runs/${run}?step=1`);
      await visitor.page.close();
      await operator.page.context().close();
    } finally {
      await proxy.remove();
      await portal.remove();
    }
  });
}
