// What every spec begins with: a portal of its own, people in it, and words for what a person does.
import { test as base, expect, type Browser, type Page } from '@playwright/test';
import { Portal } from './portal.ts';

export const password = 'grandfather clock pelican';

/** A portal that can be reached with a browser, however it was started. */
export type Reached = { readonly address: string; readonly setUpLink: string };

/** What the slow command of the first tour prints. */
export const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1} of 20`);

/** The lines of the slow command that a log shows. */
export const slow = (log: string[]) => log.filter((line) => /^line \d+ of 20$/.test(line.trim())).map((line) => line.trim());

/** A text with its capitals: “Relieve it” is not “before you relieve it”. */
const exactly = (text: string) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

/** A page in the words of an operator. The same words serve with and without scripts. */
export class Operator {
  /** How long a step may take to come to a state, in milliseconds. */
  patience = 20_000;

  constructor(
    readonly page: Page,
    readonly portal: Reached,
    private readonly scripts: boolean,
  ) {}

  /** How long to look for what has to come: as long as it takes where the page follows by itself, else until it is loaded again. */
  get glance(): number {
    return this.scripts ? this.patience : 300;
  }

  async go(path: string): Promise<void> {
    await this.page.goto(`${this.portal.address}${path}`);
    if (this.scripts) await this.page.locator('html[data-ready]').waitFor();
  }

  async signIn(login: string): Promise<void> {
    await this.go('/sign-in');
    await this.page.getByLabel('Sign-in name').fill(login);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await expect(this.page).toHaveURL(`${this.portal.address}/`);
  }

  /** Starts a run of a procedure with values by the label of their field; gives its number. */
  async start(slug: string, values: Record<string, string> = {}, reason = ''): Promise<number> {
    await this.go(`/procedures/${slug}`);
    for (const [label, value] of Object.entries(values)) await this.fill(label, value);
    await this.page.getByLabel('Reason or ticket').fill(reason);
    await this.page.getByRole('button', { name: /^Start run/ }).click();
    await this.page.waitForURL(/\/runs\/\d+/);
    return Number(/\/runs\/(\d+)/.exec(this.page.url())?.[1]);
  }

  /** Puts a value in, or chooses it: a field becomes a list once the target has said what there is. */
  async fill(label: string, value: string): Promise<void> {
    const field = this.page.getByLabel(label, { exact: true });
    await expect(async () => {
      if ((await field.evaluate((element) => element.tagName)) === 'SELECT') await field.selectOption(value, { timeout: 2_000 });
      else await field.fill(value, { timeout: 2_000 });
    }).toPass({ timeout: this.patience });
  }

  /** Opens a step of a run. */
  async open(run: number, step: number): Promise<void> {
    await this.go(`/runs/${run}?step=${step}`);
  }

  async press(name: string | RegExp): Promise<void> {
    await this.page.getByRole('button', { name }).first().click();
  }

  /** Waits until a step has a state. Without scripts a page is loaded again to see what is new. */
  async step(title: string, state: string): Promise<void> {
    const item = this.page
      .getByRole('navigation', { name: 'Steps of this run' })
      .getByRole('listitem')
      .filter({ hasText: exactly(title) });
    await this.until(async () => {
      await expect(item.first()).toHaveAttribute('data-state', state, { timeout: this.glance });
    });
  }

  /** Tries until it holds, with a fresh page each time where there are no scripts. */
  async until(holds: () => Promise<void>): Promise<void> {
    if (this.scripts) return await holds();
    await expect(async () => {
      await this.page.reload();
      await holds();
    }).toPass({ timeout: 2 * this.patience, intervals: [100, 250] });
  }

  /** Skips one command of the step that is shown. */
  async skip(command: number, reason: string): Promise<void> {
    const card = this.page.locator('details.alone').nth(command - 1);
    await card.locator('summary').click();
    await card.getByLabel('Why it is skipped').fill(reason);
    await card.getByRole('button', { name: `Skip command ${command}` }).click();
  }

  /** Skips the step that is shown. */
  async skipStep(reason: string): Promise<void> {
    const fold = this.page.locator('details.skip').first();
    await fold.locator('summary').click();
    await fold.getByLabel('Why it is skipped').fill(reason);
    await fold.getByRole('button', { name: /^Skip step/ }).click();
  }

  /** Adds a step that is not in the document, and waits until it is shown. */
  async add(commands: string, reason: string): Promise<void> {
    const fold = this.page.locator('details.add').first();
    await fold.locator('summary').click();
    await fold.getByLabel('Commands').fill(commands);
    await fold.getByLabel('What it is for').fill(reason);
    await fold.getByRole('button', { name: 'Add as a step' }).click();
    await expect(this.page.getByRole('heading', { name: reason })).toBeVisible();
  }

  /** Works on in the run of another person. */
  async takeOver(reason: string): Promise<void> {
    const fold = this.page.locator('details.take').filter({ hasText: 'Take the run over' }).first();
    await fold.locator('summary').click();
    await fold.getByLabel('Why you take it over').fill(reason);
    await fold.getByRole('button', { name: /^Take over run/ }).click();
  }

  /** Has the expected outcome checked, and waits until all of its checks hold. */
  async checkOutcome(): Promise<void> {
    await this.page.getByRole('button', { name: 'Check the expected outcome' }).click();
    const hold = this.page.locator('#finish').getByText(/(\d+) of \1 checks hold/);
    // A log is watched for its whole window.
    await expect(async () => {
      if (!this.scripts) await this.page.reload();
      await expect(hold).toBeVisible({ timeout: this.glance });
    }).toPass({ timeout: 90_000, intervals: [250, 1_000, 2_000] });
  }

  /** Closes the run with a verdict. */
  async finish(verdict: string, comment = ''): Promise<void> {
    const check = this.page.getByRole('button', { name: 'Check the expected outcome' });
    if (verdict === 'reached' && (await check.count()) > 0) await this.checkOutcome();
    await this.page.getByRole('radio', { name: verdict }).first().check();
    await this.page.getByLabel('Comment').fill(comment);
    await this.page.getByRole('button', { name: /^Close run/ }).click();
    await expect(this.page.getByRole('heading', { name: 'Steps as they were' })).toBeVisible();
  }

  /** The lines of the log that the page shows. */
  async log(): Promise<string[]> {
    return await this.page.locator('ol.log > li:not([data-kind]) > span:last-child').allInnerTexts();
  }
}

/** Signs a person in, in a browser of their own. */
export async function someone(browser: Browser, portal: Reached, login: string, scripts: boolean): Promise<Operator> {
  const context = await browser.newContext({ javaScriptEnabled: scripts });
  const person = new Operator(await context.newPage(), portal, scripts);
  await person.signIn(login);
  return person;
}

/** Makes the first account by the console's link, an administrator; the page is signed in then. */
export async function firstAccount(page: Page, portal: Reached, login = 'ada', name = 'Ada Lind'): Promise<void> {
  await page.goto(portal.setUpLink);
  await page.getByLabel('Sign-in name').fill(login);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create the first account' }).click();
  await expect(page).toHaveURL(`${portal.address}/`);
}

/** Makes an account, on the page of people. */
export async function newAccount(page: Page, login: string, name: string, role: string): Promise<void> {
  const form = page.getByRole('complementary', { name: 'New account' });
  await form.getByLabel('Sign-in name').fill(login);
  await form.getByLabel('Name', { exact: true }).fill(name);
  await form.getByLabel('Role of the new account').selectOption(role);
  await form.getByLabel('First password').fill(password);
  await form.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('rowheader', { name })).toBeVisible();
}

/** Makes the first account, an administrator named Ada, and operators, a lead and a viewer. */
export async function populate(browser: Browser, portal: Reached): Promise<void> {
  const page = await browser.newPage();
  await firstAccount(page, portal);
  for (const [login, name, role] of [
    ['olga', 'Olga Marin', 'operator'],
    ['otto', 'Otto Brandt', 'operator'],
    ['lena', 'Lena Fischer', 'lead'],
    ['vera', 'Vera Holm', 'viewer'],
  ] as const) {
    await page.goto(`${portal.address}/people`);
    await newAccount(page, login, name, role);
  }
  await page.close();
}

type Worker = { portal: Portal };
type Each = { operator: Operator; scripts: boolean };

export const test = base.extend<Each, Worker>({
  portal: [
    async ({ browser }, use) => {
      const portal = await Portal.start();
      await populate(browser, portal);
      await use(portal);
      await portal.remove();
    },
    { scope: 'worker' },
  ],
  scripts: async ({ javaScriptEnabled }, use) => {
    await use(javaScriptEnabled);
  },
  operator: async ({ browser, portal, scripts }, use) => {
    const operator = await someone(browser, portal, 'olga', scripts);
    await use(operator);
    await operator.page.context().close();
  },
});

export { expect };
