// What the Docker engine of another machine has is offered for a value: its containers as a list, its images while one types.
import { expect } from './fixtures.ts';
import { lookAt, Shop } from './shop.ts';
import { test } from './stack.ts';

test('containers and images are offered, and a run gets what was chosen', async ({ browser, scripts }) => {
  test.setTimeout(240_000);
  const shop = await Shop.open(browser);
  try {
    const olga = await shop.olga(browser, scripts);
    const { page } = olga;
    const container = page.getByLabel('Container', { exact: true });
    // A machine that has much to do may not list them in time: whoever needs them looks again.
    await expect(async () => {
      await lookAt(olga, shop, 'shop', scripts);
      await expect(container.getByRole('option').filter({ hasText: 'docker_adonisjs_1' })).toHaveCount(1, { timeout: 1_000 });
    }).toPass({ timeout: 120_000 });
    await expect(container.getByRole('option').filter({ hasText: 'docker_adonisjs_1' })).toContainText('Up');
    const image = page.getByLabel('Image', { exact: true });
    const images = await image.evaluate((input) => [...((input as HTMLInputElement).list?.options ?? [])].map(({ value }) => value));
    expect(images).toContain('practice/adonisjs:current');

    await container.selectOption('docker_adonisjs_1');
    await image.fill('practice/adonisjs:current');
    await olga.press(/^Start run/);
    await page.waitForURL(/\/runs\/\d+/);

    const facts = page.getByRole('complementary', { name: 'Facts of this run' });
    for (const value of ['docker_adonisjs_1', 'practice/adonisjs:current'])
      await expect(facts.getByText(value, { exact: true }).first()).toBeVisible();
    await page.context().close();
  } finally {
    await shop.close();
  }
});
