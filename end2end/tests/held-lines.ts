// Questions of a page for lines of a log, held back as a slow network does.
import type { Page, Route } from '@playwright/test';

/** What a page asks of the lines of a log, until it is let through. */
export class HeldLines {
  /** How often the page has asked. */
  asked = 0;
  private waiting: Route[] = [];

  private constructor(private readonly page: Page) {}

  static async of(page: Page): Promise<HeldLines> {
    const held = new HeldLines(page);
    await page.route('**/api/runs/lines*', (route) => {
      held.asked += 1;
      held.waiting.push(route);
    });
    return held;
  }

  /** Lets through what waits; what is asked later is held back. */
  async pass(): Promise<void> {
    await Promise.all(this.waiting.splice(0).map(async (route) => await route.continue()));
  }

  /** Has what waits fail, as it does where the network is lost. */
  async fail(): Promise<void> {
    await Promise.all(this.waiting.splice(0).map(async (route) => await route.abort()));
  }

  /** Lets everything through from now on. */
  async end(): Promise<void> {
    await this.page.unroute('**/api/runs/lines*');
    await this.pass();
  }
}
