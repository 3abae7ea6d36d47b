// Where a procedure is worked through: the portal with one of the two documents, who works there, and how each kind of step is done.
import { execFileSync } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type APIResponse, type Browser, type BrowserContext, expect, type Locator, type Page } from '@playwright/test';
import { Operator, populate, someone } from '../fixtures.ts';
import { Lead } from '../lead.ts';
import { wholePage } from '../look.ts';
import { endWatch } from '../machine.ts';
import { Portal } from '../portal.ts';
import { facts, practice, usersSideFile } from '../practice.ts';
import { usersFile } from '../users-file.ts';
import type { Course, Deed, Step, Which } from './procedure.ts';

/** Where the picture and the evidence of each run go; without it the evidence is only checked. `make thirteen` sets it. */
const pictures = process.env['PORTAL_PICTURES'] ?? '';

/** Puts the user's own document into a folder; nothing where it is not there. */
async function usersDocument(runbooks: string): Promise<boolean> {
  const file = usersFile();
  if (file === undefined) return false;
  await copyFile(file, join(runbooks, 'brainbytes.md'));
  await copyFile(usersSideFile, join(runbooks, 'brainbytes.portal.toml'));
  return true;
}

/** Puts the bundled document into a folder, as its author would for the practice machine: its target, its backups, its checkout. */
async function ownDocument(runbooks: string): Promise<boolean> {
  const from = resolve(import.meta.dirname, '../../../runbooks');
  const { backups, project, tests } = facts();
  await cp(join(from, 'brainbytes.md'), join(runbooks, 'brainbytes.md'));
  const path = (placeholder: string) => `placeholder = ${JSON.stringify(placeholder)}\ntype = "path"`;
  const side = (await readFile(join(from, 'brainbytes.portal.toml'), 'utf8'))
    .replace('target = "local"', 'target = "production"')
    .replaceAll('/var/backups/brainbytes', backups)
    .replace(`placeholder = ${JSON.stringify(backups)}`, 'placeholder = "/var/backups/brainbytes"')
    .replace(path('/srv/brainbytes'), `${path('/srv/brainbytes')}\ndefault = ${JSON.stringify(project)}`)
    .replace(path('/home/ci/brainbytes'), `${path('/home/ci/brainbytes')}\ndefault = ${JSON.stringify(tests.directory)}`);
  await writeFile(join(runbooks, 'brainbytes.portal.toml'), `${side}\n[procedure."Test Failure Analysis"]\ntarget = "tests"\n`);
  return true;
}

/** A portal that works on the practice machine, with one document. Its lead has a second factor, and its operator signs in once. */
export class House {
  private lead: Lead | undefined;
  private session: Awaited<ReturnType<BrowserContext['storageState']>> | undefined;
  /** The runs that were begun here, in order. */
  readonly runs: number[] = [];
  /** The procedures that were worked through here, by their numbers. */
  readonly worked = new Set<number>();

  private constructor(
    readonly which: Which,
    readonly portal: Portal,
    private readonly folder: string,
  ) {}

  /** Opens one; nothing where the document is not there. */
  static async open(browser: Browser, which: Which): Promise<House | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'portal-thirteen-'));
    const runbooks = join(folder, 'runbooks');
    await mkdir(runbooks);
    const is = await (which === 'users' ? usersDocument(runbooks) : ownDocument(runbooks));
    if (!is) {
      await rm(folder, { recursive: true });
      return undefined;
    }
    const { docker_host, registry } = facts();
    const config = join(folder, 'portal.toml');
    const token = join(folder, 'token');
    await copyFile(registry.token_file, token);
    await writeFile(config, `${practice('targets')}\n\n[secret.ghcr_token]\nfile = ${JSON.stringify(token)}\n`);
    const portal = await Portal.start(runbooks, config, undefined, { DOCKER_HOST: docker_host });
    await populate(browser, portal);
    return new House(which, portal, folder);
  }

  /** Signs Olga in once, and then opens a browser of hers as often as somebody enters. */
  async enter(browser: Browser): Promise<Stage> {
    this.session ??= await this.signIn(browser);
    const context = await browser.newContext({ storageState: this.session });
    const olga = new Operator(await context.newPage(), this.portal, true);
    // docker-compose is slow to start, and the way to another machine takes its time as well.
    olga.patience = 180_000;
    return new Stage(this, browser, olga);
  }

  private async signIn(browser: Browser): Promise<Awaited<ReturnType<BrowserContext['storageState']>>> {
    const olga = await someone(browser, this.portal, 'olga', true);
    const context = olga.page.context();
    const session = await context.storageState();
    await context.close();
    return session;
  }

  /** Has the portal find another token of the registry while something is done. */
  async withToken(token: string, work: () => Promise<void>): Promise<void> {
    const file = join(this.folder, 'token');
    const own = await readFile(file);
    await writeFile(file, token);
    try {
      await work();
    } finally {
      await writeFile(file, own);
    }
  }

  /** Lena, with codes for her second factor at hand. */
  async lena(browser: Browser): Promise<Lead> {
    this.lead ??= await Lead.arrive(browser, this.portal, true);
    return this.lead;
  }

  async close(): Promise<void> {
    await this.lead?.page.context().close();
    await this.portal.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The files below a folder in which one of some texts stands, each with the place of that text among them. */
export async function traces(folder: string, texts: string[]): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    found.push(...texts.flatMap((text, place) => (bytes.includes(text) ? [`${file}: text ${place}`] : [])));
  }
  return found;
}

/** What a person does in a run, in their words. */
export class Stage {
  /** The run that is worked in. */
  run = 0;
  private target = 'production';
  private attempts = new Map<number, number>();

  constructor(
    readonly house: House,
    private readonly browser: Browser,
    readonly olga: Operator,
  ) {}

  get page(): Page {
    return this.olga.page;
  }

  async leave(): Promise<void> {
    await this.page.context().close();
  }

  /** Works through a run, from its start to its verdict. Gives its number. */
  async work(slug: string, course: Course, ticket: string): Promise<number> {
    await this.begin(slug, course, ticket);
    for (const [index, step] of course.steps.entries()) await this.take(step, step.place ?? index + 1);
    await course.rest?.(this);
    if (course.rollback) {
      await this.olga.go(`/runs/${this.run}`);
      if ((await this.page.getByRole('button', { name: 'Check the expected outcome' }).count()) > 0) await this.olga.checkOutcome();
      for (const [index, step] of course.rollback.entries()) await this.take(step, step.place ?? course.steps.length + index + 1);
    }
    await this.olga.go(`/runs/${this.run}`);
    if (course.verdict === 'reached') await this.tick(this.page.locator('#finish'));
    await this.olga.finish(course.verdict, course.comment);
    await expect(this.page.locator('main')).toContainText(course.verdict);
    return this.run;
  }

  /** Starts a run. */
  async begin(slug: string, course: Pick<Course, 'start' | 'target' | 'values'>, ticket: string): Promise<void> {
    this.target = course.target ?? 'production';
    this.attempts = new Map();
    this.run = course.start ? await course.start(this) : await this.olga.start(slug, course.values ?? {}, ticket);
    this.house.runs.push(this.run);
  }

  /** Calls the portal as its pages do. */
  async ask(path: string, form: Record<string, string>): Promise<APIResponse> {
    const { address } = this.house.portal;
    const headers = { Origin: address, Accept: 'application/json' };
    return await this.page.request.post(`${address}/api/${path}`, { form, headers });
  }

  /** Sends a form as a page without scripts does; gives the page that comes of it. */
  async submit(path: string, form: Record<string, string>, from: string): Promise<string> {
    const { address } = this.house.portal;
    const headers = { Origin: address, Referer: `${address}${from}`, Accept: 'text/html' };
    const answer = await this.page.request.post(`${address}/api/${path}`, { form, headers });
    return await answer.text();
  }

  /** Does one step, by its place in the plan. */
  async take(step: Step, place: number): Promise<void> {
    await step.first?.(this);
    await this.olga.open(this.run, place);
    if (step.added !== undefined) return await this.add(step);
    await expect(this.page.locator('#step-title')).toHaveText(step.title);
    for (const [label, value] of Object.entries(step.values ?? {})) await this.set(label, typeof value === 'string' ? value : value());
    for (const approved of step.approved ?? []) await this.approve(place, step.title, approved);
    if (step.approved) await this.olga.open(this.run, place);
    if (step.skipped !== undefined) {
      await this.olga.skipStep(step.skipped);
      await this.state(step.title, 'skipped');
    } else if (step.byHand !== undefined) {
      await this.byHand(step);
    } else {
      for (const deed of step.deeds ?? [{}]) await this.deed(place, step.title, deed);
    }
    await step.then?.(this);
  }

  /** Starts commands of the step that is shown, does what they ask for, and looks how they come out. */
  async deed(place: number, title: string, deed: Deed): Promise<void> {
    await this.press(deed.choice === undefined ? /^Run (the rest of )?(rollback )?step \d+[:,]/ : new RegExp(`^Run “${literally(deed.choice)}`));
    const attempt = (this.attempts.get(place) ?? 0) + 1;
    this.attempts.set(place, attempt);
    await expect(this.page.getByText(`attempt ${attempt} by Olga Marin`).first()).toBeVisible({ timeout: this.olga.patience });
    for (const watch of deed.watches ?? []) {
      // What was not seen at work was not watched.
      if ('said' in watch) await this.says(place, attempt, watch.said);
      else await expect(this.screen()).toContainText(/\w/, { timeout: this.olga.patience });
      await endWatch(this.olga, watch.command);
    }
    if (deed.asks) await this.answer(deed.asks, place, attempt);
    await this.state(title, deed.comesTo ?? 'ok');
    for (const words of deed.says ?? []) await this.says(place, attempt, words);
    if (deed.skips) await this.skip(deed.skips.command, deed.skips.because);
  }

  /** The screen of the program that runs; those before it are their last ones. */
  private screen(): Locator {
    return this.page.locator('li[data-kind="screen"]').filter({ hasText: /^\s*Screen of/ }).locator('.screen');
  }

  /** Skips a command of the step that is shown, and waits until that stands there: what is started then goes on behind it. */
  async skip(command: number, because: string): Promise<void> {
    await this.olga.skip(command, because);
    await expect(this.page.locator('section.step')).toContainText(`skipped by Olga Marin: ${because}`);
  }

  /** Presses what starts something, after what has to be typed for it: the name of the target, and why an outage cannot wait. */
  async press(button: RegExp): Promise<void> {
    const form = this.page.locator('#deeds form').filter({ has: this.page.getByRole('button', { name: button }) }).first();
    await expect(form.getByRole('button', { name: button })).toBeEnabled({ timeout: 30_000 });
    const confirmation = form.locator('input[name="confirmation"]');
    if ((await confirmation.count()) > 0) await confirmation.fill(this.target);
    const outage = form.locator('input[name="outage"]');
    if ((await outage.count()) > 0) await outage.fill('it is agreed');
    await form.getByRole('button', { name: button }).click();
  }

  /** Waits until a step stands so. */
  async state(title: string, state: string | RegExp): Promise<void> {
    const rail = this.page.getByRole('navigation', { name: 'Steps of this run' });
    const name = this.page.locator('.name').filter({ hasText: new RegExp(`^\\s*(R?\\d+|\\+)\\s*${literally(title)}`) });
    const item = rail.getByRole('listitem').filter({ has: name });
    await expect(item.first()).toHaveAttribute('data-state', state, { timeout: this.olga.patience });
  }

  /** Everything that an attempt printed, as it is stored. */
  async output(place: number, attempt = this.attempts.get(place) ?? 1): Promise<string> {
    const answer = await this.page.request.get(this.outputOf(place, attempt));
    expect(answer.ok(), `the output of step ${place}: ${answer.status()}`).toBe(true);
    return await answer.text();
  }

  private outputOf(place: number, attempt: number): string {
    return `${this.house.portal.address}/runs/${this.run}/output/${place}/${attempt}`;
  }

  private async says(place: number, attempt: number, words: string | RegExp): Promise<void> {
    const holds = async () => {
      // An attempt that has just begun may have no output yet.
      const answer = await this.page.request.get(this.outputOf(place, attempt));
      const text = answer.ok() ? await answer.text() : '';
      return (typeof words === 'string' ? text.includes(words) : words.test(text)) ? words : text;
    };
    await expect.poll(holds, { timeout: 30_000 }).toBe(words);
  }

  private async answer({ command, says, answer }: NonNullable<Deed['asks']>, place: number, attempt: number): Promise<void> {
    await expect(this.page.getByText(`Command ${command} may be waiting for input.`)).toBeVisible({ timeout: this.olga.patience });
    // What it would do is told before anybody answers.
    await this.says(place, attempt, says);
    await this.page.getByLabel('One line for it').fill(answer);
    await this.page.getByRole('button', { name: 'Send line' }).click();
  }

  private async add({ title, added = '', then }: Step): Promise<void> {
    await this.olga.add(added, title);
    await this.press(new RegExp(`^Run the added step: ${literally(title)}`));
    await this.state(title, 'ok');
    await then?.(this);
  }

  /** Has the next attempt begin in another directory. */
  async goTo(directory: string): Promise<void> {
    await this.page.locator('details').filter({ has: this.page.locator('input[name="path"]') }).locator('summary').click();
    await this.page.getByLabel('Directory', { exact: true }).fill(directory);
    await this.page.getByRole('button', { name: 'Set directory' }).click();
    await expect(this.page.getByRole('complementary', { name: 'Facts of this run' })).toContainText(directory);
    await this.page.reload();
    await expect(this.page.getByLabel('Directory', { exact: true })).toHaveValue(directory);
    await this.page.locator('html[data-ready]').waitFor();
  }

  /** Gives a parameter its value where a step asks for it. */
  private async set(label: string, value: string): Promise<void> {
    const form = this.page.locator('#deeds form.value-form').filter({ has: this.page.getByRole('button', { name: `Set ${label}`, exact: true }) }).first();
    const field = form.getByLabel(label, { exact: true });
    // A field becomes a list once the target has said what there is.
    await expect(async () => {
      if ((await field.evaluate((element) => element.tagName)) === 'SELECT') await field.selectOption(value, { timeout: 2_000 });
      else await field.fill(value, { timeout: 2_000 });
    }).toPass({ timeout: this.olga.patience });
    await form.getByRole('button', { name: `Set ${label}`, exact: true }).click();
    await expect(form).toHaveCount(0);
  }

  private async byHand(step: Step): Promise<void> {
    const card = this.page.locator('section.step');
    if (step.byHand !== undefined && step.byHand !== true) {
      const { line, note } = step.byHand;
      const words = new RegExp(`^Note on: ${literally(line)}`);
      const item = card.getByRole('listitem').filter({ has: this.page.getByLabel(words) }).last();
      await item.locator('details > summary').click();
      await item.getByLabel(words).fill(note);
      await item.getByRole('button', { name: 'Tick with note' }).click();
      await expect(card).toContainText(note);
    }
    // With its last tick a step is done; one without lines is marked.
    const lines = await card.locator('.tick-box').count();
    await this.tick(card);
    if (lines === 0) await this.page.getByRole('button', { name: /^Mark step \d+ as done/ }).first().click();
    await this.state(step.title, 'ok');
  }

  /** Ticks every line that is not ticked. */
  private async tick(where: Locator): Promise<void> {
    const open = where.getByRole('button', { name: /^Tick: / });
    for (let left = await open.count(); left > 0; left -= 1) {
      await open.first().click();
      await expect(open).toHaveCount(left - 1);
    }
  }

  /** Asks for the approval of a step or one of its choices, and has Lena give it, who sees what she decides about. */
  async approve(place: number, title: string, { choice, shown = [] }: { choice?: string; shown?: (string | RegExp)[] } = {}): Promise<void> {
    await this.olga.open(this.run, place);
    const asking = this.page.locator('#asking');
    const wanted = choice === undefined ? title : `${title}: ${choice}`;
    for (const row of await asking.locator('label.tick-row').all()) {
      const box = row.getByRole('checkbox');
      if (await box.isEnabled()) await box.setChecked((await row.innerText()).includes(wanted));
    }
    await asking.getByLabel('Why, for the lead who decides').fill(`It is needed: ${title}.`);
    await this.olga.press('Ask for approval');
    const waits = this.page.locator('.callout').filter({ hasText: `“${title}” waits for a lead.` });
    await expect(waits).toBeVisible();
    const request = (await waits.getByRole('link', { name: /^Request / }).getAttribute('href')) ?? '';
    const lena = await this.house.lena(this.browser);
    await lena.go(request);
    await expect(lena.page.getByRole('heading', { name: `${title} on ${this.target}` })).toBeVisible();
    for (const words of shown) await expect(lena.page.locator('main')).toContainText(words);
    await lena.approve(title);
  }

  /** What nobody has approved is not started, also by who types the name of the target. */
  async needsALead(place: number, button: RegExp): Promise<void> {
    await this.olga.open(this.run, place);
    await this.press(button);
    await expect(this.page.locator('#deeds').getByRole('alert')).toContainText('needs the approval of a lead. Nothing was started');
  }

  /** Looks at the record of the closed run: its picture, and all that it offers to take along; what is evidence is checked by the portal's own program. */
  async keep(name: string): Promise<void> {
    await expect(this.page.getByRole('heading', { name: 'Steps as they were' })).toBeVisible();
    if (pictures) {
      await mkdir(pictures, { recursive: true });
      await this.page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      await this.page.setViewportSize({ width: 1280, height: 800 });
      await wholePage(this.page, join(pictures, `${name}-light-1280.png`));
    }
    const folder = pictures || (await mkdtemp(join(tmpdir(), 'portal-evidence-')));
    const links = this.page.locator('main a[download]');
    await expect(links.filter({ hasText: 'Evidence' })).toHaveCount(1);
    this.exported = [];
    for (const link of await links.all()) {
      const [download] = await Promise.all([this.page.waitForEvent('download'), link.click()]);
      const file = join(folder, `${name}-${download.suggestedFilename()}`);
      await download.saveAs(file);
      if (file.endsWith('-evidence.tar')) await this.prove(file);
      this.exported.push(await readFile(file));
    }
    if (!pictures) await rm(folder, { recursive: true });
  }

  /** Checks a bundle of evidence, and keeps beside it what it proves. */
  private async prove(bundle: string): Promise<void> {
    const { portal } = this.house;
    const key = bundle.replace(/\.tar$/, '-key.pem');
    await writeFile(key, execFileSync(portal.binary, ['audit', 'key', '--data', portal.data]));
    await writeFile(bundle.replace(/\.tar$/, '.txt'), execFileSync(portal.binary, ['audit', 'check', bundle, '--key', key], { stdio: 'pipe' }));
  }

  /** What the last record has given to take along. */
  exported: Buffer[] = [];
}

/** A text that stands for itself in a pattern. */
function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
