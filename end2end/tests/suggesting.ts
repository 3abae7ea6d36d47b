// What lets an alert manager suggest procedures.
import type { Page } from '@playwright/test';
import { password } from './fixtures.ts';

/** Makes a token that tells of alerts and does nothing else, for whoever is signed in. It begins on the page of the account. */
export async function tokenToSuggest(page: Page): Promise<string> {
  const panel = page.getByRole('region', { name: 'Tokens for scripts' });
  await panel.getByText('Make a token…').click();
  await panel.getByLabel('Name of the token').fill(`alert manager ${crypto.randomUUID().slice(0, 8)}`);
  await panel.getByLabel('What the script may do').selectOption('suggest');
  await panel.getByLabel('Present password').fill(password);
  await panel.getByRole('button', { name: 'Make token' }).click();
  return await panel.locator('.secret code').innerText();
}
