// The thirteen procedures as tests, for one of the two documents: each worked through; each with something down; and what must never happen.
import { expect, test as base } from '../fixtures.ts';
import { practice } from '../practice.ts';
import { take } from '../stack.ts';
import { procedures } from '../users-file.ts';
import { access } from './access.ts';
import { alert } from './alert.ts';
import { bootstrap } from './bootstrap.ts';
import { certificates } from './certificates.ts';
import { deploy } from './deploy.ts';
import { drift } from './drift.ts';
import { failures } from './failures.ts';
import { monitor } from './monitor.ts';
import type { Down, Procedure, Way, Which } from './procedure.ts';
import { restart } from './restart.ts';
import { restore } from './restore.ts';
import { rolling } from './rolling.ts';
import { House, type Stage } from './stage.ts';
import { usage } from './usage.ts';
import { watchtower } from './watchtower.ts';
import { calm, compose, forgetKept, secrets } from './world.ts';

export const thirteen: Procedure[] = [
  ...[restart, deploy, monitor, usage, restore, certificates, watchtower],
  ...[failures, drift, alert, bootstrap, rolling, access],
];

/** What can be down. */
const parts: Record<Down['what'], string> = { engine: 'the engine', prometheus: 'Prometheus', registry: 'the registry', proxy: 'the proxy' };

type Worker = { house: House | undefined };
type Each = { machine: void; stage: Stage | undefined };

/** The practice machine alone, brought back to its beginning, and a portal with a document that works there. */
const on = (which: Which) =>
  base.extend<Each, Worker>({
    house: [
      async ({ browser }, use) => {
        const house = await House.open(browser, which);
        await use(house);
        await house?.close();
      },
      { scope: 'worker', timeout: 180_000 },
    ],
    machine: [
      async ({ house }, use) => {
        if (house === undefined) return await use();
        let leave = await take('portal-practice-machine');
        await expect.poll(async () => (leave ??= await take('portal-practice-machine')) !== undefined, { timeout: 1_700_000, intervals: [100] }).toBe(true);
        try {
          practice('reset');
          forgetKept();
          await calm();
          await use();
        } finally {
          await leave?.();
        }
        // Whoever waits for the machine looks ten times in a second, and is to have it before the next test here.
        await new Promise((passed) => setTimeout(passed, 300));
      },
      { timeout: 1_800_000 },
    ],
    stage: async ({ browser, house, machine: _ }, use) => {
      const stage = await house?.enter(browser);
      await use(stage);
      await stage?.leave();
    },
  });

/** Nothing of `.env`, and not the token, is anywhere in what the portal keeps, nor in what it has handed out. */
async function keepsNoSecret({ house, evidence }: Stage): Promise<void> {
  for (const [index, secret] of secrets().entries()) {
    expect(await house.traces(secret), `secret ${index} in the portal's data`).toEqual([]);
    expect(evidence.includes(secret), `secret ${index} in the evidence`).toBe(false);
  }
}

/** No check of the outcome is green that has to do with what is down. */
async function nothingIsGreen(stage: Stage, what: Down['what'] | 'ssh'): Promise<void> {
  const { page, olga } = stage;
  await olga.go(`/runs/${stage.run}`);
  const lines = page.locator('#finish li').filter({ hasText: 'Checked: ' }).filter({ hasText: what === 'prometheus' ? ' has a result at ' : '' });
  const check = page.getByRole('button', { name: 'Check the expected outcome' });
  if ((await check.count()) === 0 || (await lines.count()) === 0 || ['registry', 'proxy'].includes(what)) return;
  await check.click();
  await expect(page.locator('#finish')).toContainText(/not known|did not hold/, { timeout: 120_000 });
  await expect(page.locator('#finish li[data-state="running"]')).toHaveCount(0, { timeout: 120_000 });
  await expect(lines.and(page.locator('[data-state="ok"]'))).toHaveCount(0);
  // Each says in one sentence what was seen, or why nothing could be.
  for (const line of await lines.all()) await expect(line.locator('.saw').first()).toHaveText(/\S.*\.$/);
}

/** A step that cannot succeed does not, and the page says so. */
async function isSaid(stage: Stage, procedure: Procedure, down: Down): Promise<void> {
  const { olga, page } = stage;
  const values = down.values ?? {};
  const target = down.target;
  const start = async () => {
    await olga.go(`/procedures/${procedure.slug}`);
    if (target !== undefined) await page.getByLabel('Target', { exact: true }).selectOption(target);
    for (const [label, value] of Object.entries(values)) await olga.fill(label, value);
    await page.getByRole('button', { name: /^Start run/ }).click();
    await page.waitForURL(/\/runs\/\d+/);
    return Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
  };
  await stage.begin(procedure.slug, target === undefined ? { start } : { start, target }, '');
  for (const place of down.before ?? []) {
    await olga.open(stage.run, place);
    await stage.deed(place, (await page.locator('#step-title').innerText()).trim(), {});
  }
  await olga.open(stage.run, down.place);
  await stage.deed(down.place, down.title, { comesTo: 'failed', ...(down.says ? { says: [down.says] } : {}) });
  // How it ended stands beside the command, in words.
  await expect(page.locator('section.step .outcome').filter({ hasText: /exit \d+|signal/ }).first()).toBeVisible();
  await nothingIsGreen(stage, down.what);
  await olga.go(`/runs/${stage.run}`);
  await olga.finish('aborted', `${down.what} is down`);
}

export function theThirteen(which: Which): void {
  const test = on(which);
  const name = which === 'users' ? "user's file" : 'bundled document';
  const way = (procedure: Procedure): Way => procedure[which];
  let read = 0;

  test.describe(name, () => {
    // In order, in one worker: there is one machine. A new portal for each would only take time.
    test.describe.configure({ mode: 'default', timeout: 1_500_000 });

    /** A test that is nothing where the document is not there. */
    const it = (title: string, body: (stage: Stage) => Promise<void>) =>
      test(title, async ({ stage }) => {
        if (stage === undefined) {
          console.log(`${name}: ABSENT`);
          return;
        }
        await body(stage);
      });

    for (const procedure of thirteen) {
      it(`procedure ${procedure.number}, ${procedure.title}: from its page to its verdict, with its effect on the machine`, async (stage) => {
        expect(await procedures(stage.olga)).toBe(13);
        const before = procedure.facts();
        await procedure.trouble?.(stage);
        for (const [index, course] of way(procedure).courses.entries()) {
          const number = `${procedure.number}`.padStart(2, '0');
          await stage.work(procedure.slug, course, `${which === 'users' ? 'USER' : 'OWN'}-${procedure.number}-${index + 1}`);
          await stage.keep(`thirteen-${which}-${number}-${index + 1}`);
        }
        await procedure.proves(before, procedure.facts(), stage);
        await keepsNoSecret(stage);
        read += 1;
        console.log(`${name}: ${read}/${thirteen.length}`);
      });
    }

    it('the values of .env and the token of the registry are nowhere in what the portal keeps', async (stage) => {
      practice('publish', 'adonisjs', 'v2');
      for (const procedure of [watchtower, drift, bootstrap]) {
        const [course] = way(procedure).courses;
        await stage.begin(procedure.slug, { values: course?.values ?? {} }, `SECRET-${procedure.number}`);
        const steps = course?.steps ?? [];
        // Whatever prints secrets stands in the first three steps of each; nothing after them is needed.
        for (const [index, step] of steps.slice(0, 3).entries()) {
          await stage.olga.open(stage.run, index + 1);
          for (const { says: _, ...deed } of step.deeds ?? [{}])
            await stage.deed(index + 1, step.title, { ...deed, comesTo: /^(ok|paused|difference|failed)$/ });
        }
        await stage.olga.go(`/runs/${stage.run}`);
        await stage.olga.finish('not reached', 'It was only to print.');
        await stage.keep(`thirteen-${which}-secrets-${procedure.number}`);
        await keepsNoSecret(stage);
      }
      // It is looked for where output really is.
      expect(await stage.house.traces('SENTRY_DSN'), 'output is found in the data').not.toEqual([]);
    });

    it('with ssh down each of the thirteen says so in one sentence, and nothing is green', async (stage) => {
      practice('stop', 'ssh');
      try {
        for (const procedure of thirteen) {
          const { place, title } = way(procedure).reaches;
          await stage.begin(procedure.slug, {}, `SSH-${procedure.number}`);
          await stage.olga.open(stage.run, place);
          await stage.deed(place, title, { comesTo: 'failed' });
          const sentence = 'Nothing was run: The machine refuses the connection: no ssh server listens at that port.';
          await expect(stage.page.locator('main'), procedure.title).toContainText(sentence);
          await nothingIsGreen(stage, 'ssh');
          await stage.olga.go(`/runs/${stage.run}`);
          await stage.olga.finish('aborted', 'ssh is down');
        }
      } finally {
        practice('start', 'ssh');
      }
    });

    for (const [what, called] of Object.entries(parts) as [Down['what'], string][]) {
      it(`with ${called} down, whichever of the thirteen needs it says so, and nothing is green`, async (stage) => {
        if (what === 'proxy') compose('stop reverse-proxy');
        else practice('stop', what);
        try {
          for (const procedure of thirteen)
            for (const down of (way(procedure).down ?? []).filter((down) => down.what === what)) await isSaid(stage, procedure, down);
        } finally {
          if (what === 'proxy') compose('start reverse-proxy');
          else practice('start', what);
        }
      });
    }

    if (which === 'users') {
      it('the second text about certificates behind the audit never runs under its name, by any route', async (stage) => {
        const { olga, page, house } = stage;
        const before = certificates.facts();
        await olga.go(`/procedures/${access.slug}`);
        await expect(page.getByText(/^Lines \d+ to \d+ belong to no procedure$/).first()).toBeVisible();
        await stage.begin(access.slug, { values: { Account: 'jdoe' } }, 'STRAY');
        await expect(page.getByRole('navigation', { name: 'Steps of this run' })).not.toContainText(/certificate|Traefik/i);

        // The plan itself has nothing of it, whatever a page shows.
        const headers = { Origin: house.portal.address, Accept: 'application/json' };
        const ask = async (path: string, form: Record<string, string>) =>
          await page.request.post(`${house.portal.address}/api/${path}`, { form, headers });
        const view = await ask('pages/run', { run: `${stage.run}` });
        expect(view.ok(), `${view.status()}`).toBe(true);
        const text = JSON.stringify(((await view.json()) as { run?: { plan?: { steps?: unknown } } }).run?.plan?.steps ?? 'no steps');
        expect(text).toContain('deluser');
        for (const words of ['certbot', 'SIGHUP', 'privkey']) expect(text).not.toContain(words);

        // Steps that would be its steps are no steps; nor is there a procedure of that name besides the real one.
        for (let step = 5; step <= 9; step += 1) {
          const answer = await ask('runs/run', { run: `${stage.run}`, step: `${step}`, attempt: '1', commands: '1' });
          expect(answer.ok(), `step ${step}`).toBe(false);
        }
        for (const slug of ['renew-ssl-certificates-2', 'renew-ssl-certificates-1', 'user-access-ssh-audit-2']) {
          expect((await ask('runs/start', { slug, target: 'production', key: crypto.randomUUID() })).ok(), slug).toBe(false);
          expect((await page.request.get(`${house.portal.address}/procedures/${slug}`)).status()).toBe(404);
        }
        for (let step = 1; step <= 4; step += 1) {
          await olga.open(stage.run, step);
          for (const words of ['certbot', 'SIGHUP', 'privkey']) await expect(page.locator('section.step')).not.toContainText(words);
        }
        await olga.finish('aborted', 'only looked');
        expect(certificates.facts(), 'nothing has happened to the certificate').toEqual(before);
      });
    }
  });
}
