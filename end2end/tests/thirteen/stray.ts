// The second text about certificates that stands behind the audit in the user's document: it is shown, and never runs under the audit's name.
import { expect } from '@playwright/test';
import { access } from './access.ts';
import { certificates } from './certificates.ts';
import type { Stage } from './stage.ts';

/** Words that only the certificates have. */
const theirs = ['certbot', 'SIGHUP', 'privkey'];

/** The audit has four steps; if the text behind it were some of its steps, they would be these. */
const own = [1, 2, 3, 4];
const beyond = [5, 6, 7, 8, 9];

type Seen = { run: { plan: { steps: { commands: unknown[] }[] }; steps: { attempts: unknown[] }[] } };

/** The run as programs see it. */
async function seen(stage: Stage): Promise<Seen['run']> {
  const answer = await stage.ask('pages/run', { run: `${stage.run}` });
  expect(answer.ok(), `${answer.status()}`).toBe(true);
  return ((await answer.json()) as Seen).run;
}

/** What is shown of it is no step: on the page of the procedure, in the run, and in the search. */
async function isOnlyShown(stage: Stage): Promise<void> {
  const { olga, page } = stage;
  await olga.go(`/procedures/${access.slug}`);
  await expect(page.getByText(/^Lines \d+ to \d+ belong to no procedure$/).first()).toBeVisible();
  await stage.begin(access.slug, { values: { Account: 'jdoe' } }, 'STRAY');
  const rail = page.getByRole('navigation', { name: 'Steps of this run' });
  // Beyond the last step a page shows one of those that there are.
  for (const step of [...own, ...beyond]) {
    await olga.open(stage.run, step);
    await expect(rail).not.toContainText(/certificate|Traefik/i);
    for (const words of theirs) await expect(page.locator('section.step').filter({ hasText: words })).toHaveCount(0);
  }
  const plan = JSON.stringify((await seen(stage)).plan.steps);
  expect(plan).toContain('deluser');
  for (const words of theirs) expect(plan).not.toContain(words);
  const found = (await (await stage.ask('pages/search', {})).json()) as { steps: { slug: string; commands: string }[] };
  const steps = found.steps.filter(({ slug }) => slug === access.slug);
  expect(steps).toHaveLength(own.length);
  for (const words of theirs) expect(JSON.stringify(steps)).not.toContain(words);
}

/** Every call that could start a step or pass one over, for a step that the run does not have: by programs, and by forms of a page without scripts. */
async function noStepIsBeyond(stage: Stage): Promise<void> {
  const run = `${stage.run}`;
  for (const step of beyond.map(String)) {
    const nothing = `This run has no step ${step}`;
    const calls: [string, Record<string, string>][] = [
      ['runs/run', { run, step, attempt: '1', commands: '1', confirmation: 'production', outage: 'it is agreed' }],
      ['runs/skip-command', { run, step, command: '1', reason: 'to try' }],
      ['runs/skip-step', { run, step, reason: 'to try' }],
      ['runs/complete', { run, step }],
      ['runs/tick', { run, step, item: '1' }],
      // The short form in which a page names a step with its commands.
      ['approvals/ask', { run, request: '1', [`wanted[s${step}.1]`]: 'on', reason: 'to try' }],
    ];
    for (const [path, form] of calls) {
      const answer = await stage.ask(path, form);
      const said = await answer.text();
      expect(answer.status(), `${path} of step ${step}: ${said}`).toBe(409);
      expect(said).toContain(nothing);
    }
    expect(await stage.submit('runs/run', calls[0]?.[1] ?? {}, `/runs/${run}?step=4`), `the form of step ${step}`).toContain(nothing);
    expect((await stage.ask('approvals/break-glass', { run, request: '1', [`wanted[s${step}.1]`]: 'on', reason: 'to try', code: '000000' })).ok()).toBe(false);
  }
}

/** Nor do the steps that there are have commands behind their own. */
async function noCommandIsBeyond(stage: Stage): Promise<void> {
  const { plan } = await seen(stage);
  for (const [index, { commands }] of plan.steps.entries()) {
    const [run, step] = [`${stage.run}`, `${index + 1}`];
    for (const more of [`${commands.length + 1}`, `${commands.length},${commands.length + 1}`]) {
      const answer = await stage.ask('runs/run', { run, step, attempt: '1', commands: more, confirmation: 'production' });
      expect(answer.ok(), `command ${more} of step ${step}: ${await answer.text()}`).toBe(false);
    }
  }
}

/** No procedure has that text besides the real one. */
async function noProcedureIsBeside(stage: Stage): Promise<void> {
  const { address } = stage.house.portal;
  for (const slug of ['renew-ssl-certificates-2', 'renew-ssl-certificates-1', 'user-access-ssh-audit-2', `${access.slug}-${certificates.slug}`]) {
    const start = { slug, target: 'production', key: crypto.randomUUID() };
    expect((await stage.ask('runs/start', start)).status(), slug).toBe(404);
    expect((await stage.page.request.get(`${address}/procedures/${slug}`)).status(), slug).toBe(404);
  }
}

/** By no route does any of it run under the name of the audit. */
export async function neverRuns(stage: Stage): Promise<void> {
  const before = certificates.facts();
  await isOnlyShown(stage);
  await noStepIsBeyond(stage);
  await noCommandIsBeyond(stage);
  await noProcedureIsBeside(stage);
  const { steps } = await seen(stage);
  expect(steps.map(({ attempts }) => attempts), 'nothing was started').toEqual(own.map(() => []));
  await stage.olga.go(`/runs/${stage.run}`);
  await stage.olga.finish('aborted', 'only looked');
  expect(certificates.facts(), 'nothing has happened to the certificate').toEqual(before);
}
