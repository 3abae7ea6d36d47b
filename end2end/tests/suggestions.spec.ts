// Suggestions: an alert manager tells what fires, and people see it, start from it, or dismiss it.
import { request as programs, type APIRequestContext, type Page } from '@playwright/test';
import { expect, someone, test, type Reached } from './fixtures.ts';
import { look } from './look.ts';
import { tokenToSuggest } from './suggesting.ts';

const slug = 'alert-investigation-playbook';

/** Makes a token that tells of alerts and does nothing else, and gives a program that has it. */
async function alertManager(page: Page, portal: Reached): Promise<APIRequestContext> {
  await page.goto(`${portal.address}/account`);
  const token = await tokenToSuggest(page);
  return await programs.newContext({ baseURL: portal.address, extraHTTPHeaders: { Authorization: `Bearer ${token}` } });
}

/** A webhook about one alert of a service. */
const webhook = (service: string, status = 'firing') => ({
  version: '4',
  status,
  alerts: [
    {
      status,
      labels: { alertname: 'AppEndpointDown', service },
      annotations: { summary: 'The endpoint does not answer.' },
      startsAt: new Date(Date.now() - 120_000).toISOString(),
      endsAt: '0001-01-01T00:00:00Z',
    },
  ],
});

test('an alert suggests its procedure, a run begins from it, and it goes when it is resolved', async ({ operator, portal, scripts }) => {
  // The start page is looked at in every width meanwhile.
  test.setTimeout(120_000);
  const service = `shop-${crypto.randomUUID().slice(0, 8)}`;
  const manager = await alertManager(operator.page, portal);
  const { page } = operator;
  await operator.go('/');
  const card = page.locator('#suggestions .ask-card').filter({ hasText: service });
  await expect(card).toHaveCount(0);

  expect((await manager.post('/api/alerts', { data: webhook(service) })).status()).toBe(200);
  await operator.until(async () => {
    await expect(card).toContainText('The endpoint does not answer.', { timeout: operator.glance });
  });
  await card.getByRole('link', { name: /^Open / }).click();
  await expect(page).toHaveURL(new RegExp(`/procedures/${slug}\\?suggestion=\\d+`));
  const form = page.getByRole('complementary', { name: 'Start a run' });
  await expect(form).toContainText(`Suggested by AppEndpointDown of ${service}`);
  await expect(form.getByLabel('Reason or ticket')).toHaveValue(`Alert AppEndpointDown of ${service}`);
  await form.getByRole('button', { name: /^Start run/ }).click();
  await page.waitForURL(/\/runs\/\d+/);
  const run = Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
  await expect(page.locator('main')).toContainText(`AppEndpointDown of ${service}`);

  await operator.go('/');
  await expect(card.getByRole('link', { name: `run ${run}` })).toBeVisible();
  if (scripts) await look(page, 'home-with-suggestion');
  expect((await manager.post('/api/alerts', { data: webhook(service, 'resolved') })).status()).toBe(200);
  await operator.until(async () => {
    await expect(card).toHaveCount(0, { timeout: operator.glance });
  });
  expect((await manager.post('/api/pages/home', { form: {} })).status()).toBe(403);
  await manager.dispose();
});

test('what nothing is to be done about is dismissed with a reason', async ({ browser, portal, scripts }) => {
  const service = `shop-${crypto.randomUUID().slice(0, 8)}`;
  const otto = await someone(browser, portal, 'otto', scripts);
  const manager = await alertManager(otto.page, portal);
  expect((await manager.post('/api/alerts', { data: webhook(service) })).status()).toBe(200);

  await otto.go('/');
  const card = otto.page.locator('#suggestions .ask-card').filter({ hasText: service });
  await card.getByText('Dismiss…').click();
  await card.getByLabel('Why nothing is to be done').fill('a test of the pager');
  await card.getByRole('button', { name: 'Dismiss suggestion' }).click();
  await expect(card).toHaveCount(0);
  expect((await manager.post('/api/alerts', { data: webhook(service) })).status()).toBe(200);
  await otto.go('/');
  await expect(card).toHaveCount(0);
  await manager.post('/api/alerts', { data: webhook(service, 'resolved') });
  await manager.dispose();
  await otto.page.context().close();
});

test('a webhook that cannot be read is said on the start page', async ({ operator, portal }) => {
  const manager = await alertManager(operator.page, portal);

  const refused = await manager.post('/api/alerts', { data: { version: '3' } });

  expect(refused.status()).toBe(422);
  await operator.go('/');
  await expect(operator.page.getByText('The last webhook of alerts was refused')).toBeVisible();
  await manager.post('/api/alerts', { data: { version: '4', alerts: [] } });
  await operator.go('/');
  await expect(operator.page.getByText('The last webhook of alerts was refused')).toHaveCount(0);
  await manager.dispose();
});
