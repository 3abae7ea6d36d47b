// How far a procedure can be relied on: a badge in the list, and on its page what a look found that somebody asked for.
import { expect, test } from './fixtures.ts';
import { look } from './look.ts';

test('a look is asked for, and the page says what it found and when', async ({ operator, scripts }) => {
  const { page } = operator;
  await operator.go('/procedures/first-tour');
  const health = page.getByRole('region', { name: 'Health' });
  await expect(health).toContainText('Nobody has looked');

  await health.getByRole('button', { name: 'Look now' }).click();
  await operator.until(async () => {
    await expect(health).toContainText('by reading only', { timeout: operator.glance });
  });
  if (scripts) await look(page, 'procedure-health');

  await operator.go('/');
  await expect(page.locator('.procedures-table .badge').first()).toBeVisible();
});
