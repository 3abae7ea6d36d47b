// The lead's half of an approval, in the words of a person: signed in on a phone, with codes for the second factor at hand.
import { type Browser, expect } from '@playwright/test';
import { Operator } from './fixtures.ts';
import { setUp } from './factor.ts';
import type { Portal } from './portal.ts';

export class Lead extends Operator {
  private codes: string[] = [];

  /** Signs Lena in, on a phone, and sets her second factor up. */
  static async arrive(browser: Browser, portal: Portal, scripts: boolean): Promise<Lead> {
    const context = await browser.newContext({ javaScriptEnabled: scripts, viewport: { width: 390, height: 844 } });
    const lena = new Lead(await context.newPage(), portal, scripts);
    await lena.signIn('lena');
    await lena.go('/account');
    lena.codes = (await setUp(lena.page)).codes;
    return lena;
  }

  /** Opens from the inbox what waits there for a step on a target. */
  async consider(step: string, target: string): Promise<void> {
    await this.go('/approvals');
    await this.page.getByRole('link', { name: `${step} on ${target}` }).click();
    await expect(this.page.getByRole('heading', { name: `${step} on ${target}` })).toBeVisible();
  }

  /** Approves what is open, with one of the codes. */
  async approve(step: string): Promise<void> {
    await this.page.getByLabel('Code of your second factor').fill(this.codes.shift() ?? '');
    await this.page.getByRole('button', { name: `Approve “${step}”` }).click();
    await expect(this.page.getByText(/Lena Fischer approved/).first()).toBeVisible();
  }
}
