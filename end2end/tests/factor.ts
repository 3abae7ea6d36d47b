// An authenticator app: what it shows, and how it is set up on the page of the account.
import { createHmac } from 'node:crypto';
import { expect, type Page } from '@playwright/test';
import { password } from './fixtures.ts';

/** What an app with this secret shows, some steps of 30 seconds from now (RFC 6238). */
export function code(secret: string, steps = 0): string {
  const bits = [...secret.replaceAll(' ', '')].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes = bits.join('').match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', Buffer.from(bytes)).update(step).digest();
  const number = mac.readUInt32BE((mac[19] ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Sets an authenticator app up; gives its secret and the recovery codes. The page is the one of the account. */
export async function setUp(page: Page): Promise<{ secret: string; codes: string[] }> {
  const panel = page.getByRole('region', { name: 'Second factor' });
  await panel.getByLabel('Present password').fill(password);
  await panel.getByRole('button', { name: 'Set up an authenticator app' }).click();
  await expect(panel.getByRole('img', { name: 'QR code of the secret' })).toBeVisible();
  const secret = await panel.locator('.secret code').innerText();
  const codes = await panel.locator('.recovery-codes code').allInnerTexts();
  await panel.getByLabel('Code that the app shows now').fill(code(secret));
  await panel.getByRole('button', { name: 'Switch on authenticator app' }).click();
  await expect(page.getByText('Authenticator app switched on')).toBeVisible();
  return { secret, codes };
}
