// Another machine over real ssh, as the operator sees it: the look before a run, what there is to choose from, a link that is
// lost in the middle of a step, and a stop.
import { expect, test as base, type Operator } from './fixtures.ts';
import { lookAt, orders, Shop } from './shop.ts';

const test = base.extend<{ olga: Operator }, { shop: Shop }>({
  shop: [
    async ({ browser }, use) => {
      const shop = await Shop.open(browser);
      await use(shop);
      await shop.close();
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  olga: async ({ browser, shop, scripts }, use) => {
    const olga = await shop.olga(browser, scripts);
    await use(olga);
    await olga.page.context().close();
  },
});

test.describe.configure({ timeout: 180_000 });

test('a machine that is there is looked at before the first step, and everything is said to be there', async ({ olga, shop, scripts }) => {
  const panel = await lookAt(olga, shop, 'shop', scripts);

  await expect(panel.getByRole('listitem').filter({ hasText: 'Target' })).toContainText(`${shop.sshd.place} answers.`);
  await expect(panel.getByRole('listitem').filter({ hasText: 'Directory' })).toContainText(`${shop.folder}/shop is there.`);
  await expect(panel.getByRole('listitem').filter({ hasText: 'Lock' })).toContainText('free');
  await expect(panel).toContainText('by reading only. Nothing waits for it.');
});

test('a machine that does not answer is said not to, with the reason, and a run may still be started', async ({ olga, shop, scripts }) => {
  const panel = await lookAt(olga, shop, 'away', scripts);

  const line = panel.getByRole('listitem').filter({ hasText: 'Target' });
  await expect(line).toContainText('does not answer');
  await expect(line).toContainText('The machine refuses the connection: no ssh server listens at that port.');
  await expect(olga.page.getByRole('button', { name: /^Start run/ })).toBeEnabled();
});

test('a machine whose key nobody has compared is refused, with its key, before anything is sent', async ({ olga, shop, scripts }) => {
  const panel = await lookAt(olga, shop, 'stranger', scripts);

  await expect(panel).toContainText('The key of the machine is not in known_hosts');
  await expect(panel).toContainText('SHA256:');

  // A step there is not run, and says the same.
  if (scripts) await olga.press('Start run on stranger');
  else {
    await olga.page.getByLabel('Target').selectOption('stranger');
    await olga.press(/^Start run/);
  }
  await olga.page.waitForURL(/\/runs\/\d+/);
  const run = Number(/\/runs\/(\d+)/.exec(olga.page.url())?.[1]);
  await olga.open(run, 2);
  await olga.press(/^Run step 2/);
  await olga.until(async () => {
    await expect(olga.page.getByText('Nothing was run: The key of the machine is not in known_hosts')).toBeVisible({ timeout: olga.glance });
  });
  expect(await olga.log()).not.toContain(`order 1 of ${orders}`);
});

test('backups are offered with age and size, revisions while one types, and a run gets what was chosen', async ({ olga, shop, scripts }) => {
  await lookAt(olga, shop, 'shop', scripts);
  const { page } = olga;
  const field = (label: string) => page.getByLabel(label, { exact: true });

  await expect(field('Backup').getByRole('option')).toHaveText([
    'left open',
    /tuesday\.dump · 7 h \d\d min old, 2\.0 KB$/,
    /monday\.dump · 31 h \d\d min old, 1\.2 MB$/,
  ]);
  const offered = await field('Revision').evaluate((input) => [...((input as HTMLInputElement).list?.options ?? [])].map(({ value }) => value));
  expect(offered).toContain('main');
  await expect(olga.page.getByText(`Known there: ${offered.length}, offered as you type.`)).toBeVisible();

  // With the keyboard alone: down the list, on to the next field, and the name.
  await field('Backup').focus();
  await page.keyboard.press('ArrowDown');
  await expect(field('Backup')).toHaveValue(shop.backup('tuesday.dump'));
  await page.keyboard.press('Tab');
  await page.keyboard.type('main');
  await expect(field('Revision')).toHaveValue('main');
  await page.keyboard.press('Tab');
  await page.keyboard.type('to choose');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/\d+/);

  const facts = page.getByRole('complementary', { name: 'Facts of this run' });
  for (const value of [shop.backup('tuesday.dump'), 'main']) await expect(facts.getByText(value, { exact: true }).first()).toBeVisible();
});

test('the services of the project are offered, and one is chosen', async ({ olga, shop, scripts }) => {
  const service = olga.page.getByLabel('Service', { exact: true });

  // A machine that has much to do may not list them in time: whoever needs them looks again.
  await expect(async () => {
    await lookAt(olga, shop, 'shop', scripts);
    await expect(service.getByRole('option')).toHaveText(['left open', 'api', 'web'], { timeout: 1_000 });
  }).toPass({ timeout: 300_000 });
  await service.selectOption('web');
  await olga.press(/^Start run/);
  await olga.page.waitForURL(/\/runs\/\d+/);

  await expect(olga.page.getByRole('complementary', { name: 'Facts of this run' }).getByText('web', { exact: true }).first()).toBeVisible();
});

test('the link is lost in the middle of a step: the page says so, the step runs on, and no line is missing', async ({ olga, shop, scripts }) => {
  const { page } = olga;
  const run = await olga.start(shop.slug, {}, 'to cut the cable');
  await olga.open(run, 2);
  await olga.press(/^Run step 2/);
  await olga.until(async () => await expect(page.getByText(`order 3 of ${orders}`)).toBeVisible({ timeout: olga.glance }));
  const notice = page.getByText(`No link to ${shop.sshd.place}`);
  await expect(notice).toHaveCount(0);

  await shop.sshd.cut();
  try {
    await olga.until(async () => await expect(notice).toBeVisible({ timeout: olga.glance }));
    await expect(page.getByText('The step runs on there.')).toBeVisible();
    await expect(page.getByRole('button', { name: /^Stop step 2/ })).toBeEnabled();
  } finally {
    await shop.sshd.startAgain();
  }

  await olga.until(async () => await expect(notice).toHaveCount(0, { timeout: olga.glance }));
  await olga.step('Count the orders', 'ok');
  if (scripts) {
    const lines = async () => (await olga.log()).map((line) => line.trim()).filter((line) => /^order \d+ of/.test(line));
    const last = Array.from({ length: 20 }, (_, index) => `order ${orders - 19 + index} of ${orders}`);
    await expect.poll(async () => (await lines()).slice(-20)).toEqual(last);
  }
  const whole = await page.request.get(`${shop.portal.address}/runs/${run}/output/2/1`);
  expect(whole.ok(), `${whole.status()}`).toBe(true);
  const all = Array.from({ length: orders }, (_, index) => `order ${index + 1} of ${orders}`);
  expect((await whole.text()).split(/\r?\n/).filter((line) => line.startsWith('order '))).toEqual(all);
});

test('a step on another machine is stopped there', async ({ olga, shop }) => {
  const { page } = olga;
  const run = await olga.start(shop.slug, {}, 'to stop it');
  await olga.open(run, 2);
  await olga.press(/^Run step 2/);
  await olga.until(async () => await expect(page.getByText(`order 3 of ${orders}`)).toBeVisible({ timeout: olga.glance }));
  // Between two orders there is none.
  await expect.poll(() => shop.sshd.began('sleep')).not.toEqual([]);

  await olga.press(/^Stop step 2/);

  await olga.step('Count the orders', 'stopped');
  await expect.poll(() => shop.sshd.began('sleep')).toEqual([]);
  await expect(page.getByText(`order ${orders} of ${orders}`)).toHaveCount(0);
});
