// What a procedure says when something is down that it needs, and that nothing is green then.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { practice } from '../practice.ts';
import type { Down, Part, Procedure, Way } from './procedure.ts';
import type { House, Stage } from './stage.ts';
import { compose } from './world.ts';

/** What can be down besides the way to the machine, and what it is called. */
export const parts: Record<Part, string> = { engine: 'the engine', prometheus: 'Prometheus', registry: 'the registry', proxy: 'the proxy' };

/** What a command says that needs one of them. An image that is written as a service is refused before anybody is asked for it. */
const needs: Partial<Record<Part, RegExp>> = {
  engine: /\bdocker\b/,
  prometheus: /:9090\b/,
  registry: /^(?!.*previous-version).*(\bdocker login\b|\bdocker-compose\b.* pull\b|\bdocker pull\b)/s,
};

/** Why there is no way to the machine. The port that leads there may be open, with nobody behind it. */
const noWay = new RegExp(
  '(Nothing was run|The step was not started): The machine (refuses the connection: no ssh server listens at that port' +
    '|closed the connection before it let the portal in|cut the connection before it let the portal in)\\.',
);

/** Has a part of the machine down while something is done. */
export async function without(part: Part | 'ssh', work: () => Promise<void>): Promise<void> {
  const turn = (how: 'stop' | 'start') => (part === 'proxy' ? compose(`${how} reverse-proxy`) : practice(how, part));
  turn('stop');
  try {
    await work();
  } finally {
    turn('start');
  }
}

/** The procedures of the document whose commands need a part, by their slugs, as the portal's own program reads them. */
export function needing(house: House, part: Part): string[] {
  const shown = execFileSync(house.portal.binary, ['show', join(house.portal.runbooks, 'brainbytes.md'), '--format', 'json'], { encoding: 'utf8' });
  type Step = { blocks: { commands: { text: string }[] }[] };
  const { documents } = JSON.parse(shown) as { documents: { procedures: { slug: string; parts: { steps?: Step[] }[] }[] }[] };
  const said = needs[part];
  return documents
    .flatMap(({ procedures }) => procedures)
    .filter(({ parts }) => parts.some(({ steps }) => steps?.some(({ blocks }) => blocks.some(({ commands }) => commands.some(({ text }) => said?.test(text))))))
    .map(({ slug }) => slug);
}

/** The checks of the outcome that have to do with what is down. */
function checks({ page }: Stage, part: Part | 'ssh') {
  const lines = page.locator('#finish li').filter({ hasText: 'Checked: ' });
  return part === 'prometheus' ? lines.filter({ hasText: ' has a result at ' }) : lines;
}

/** No step is green but those that were done before, no check is, and the outcome is not taken for reached. */
async function nothingIsGreen(stage: Stage, part: Part | 'ssh', before = 0): Promise<void> {
  const { page, olga } = stage;
  await olga.go(`/runs/${stage.run}`);
  const steps = page.getByRole('navigation', { name: 'Steps of this run' }).locator('ol.rail-list:not([data-plain]) > li[data-state="ok"]');
  await expect(steps, 'steps that are green').toHaveCount(before);
  const lines = checks(stage, part);
  // The registry and the proxy are asked by no check.
  if ((await lines.count()) === 0 || ['registry', 'proxy'].includes(part)) return;
  await page.getByRole('button', { name: 'Check the expected outcome' }).click();
  await expect(lines.first()).toContainText(/not known|did not hold/, { timeout: 120_000 });
  await expect(page.locator('#finish li[data-state="running"]')).toHaveCount(0, { timeout: 120_000 });
  await expect(lines.and(page.locator('[data-state="ok"]')), 'checks that are green').toHaveCount(0);
  // Each says in one sentence what was seen, or why nothing could be.
  for (const line of await lines.all()) await expect(line.locator('.saw').first()).toHaveText(/^(?!Checked: )\S.*\.$/s);
  const reached = await stage.ask('runs/finish', { run: `${stage.run}`, verdict: 'reached' });
  expect(reached.status(), await reached.text()).toBe(409);
  expect(await reached.text()).toContain('Nothing was closed');
}

/** The run is given up, and its record does not say that anything was reached. */
async function givenUp(stage: Stage, part: Part | 'ssh'): Promise<void> {
  await stage.olga.go(`/runs/${stage.run}`);
  await stage.olga.finish('aborted', `${part} is down`);
  await expect(stage.page.locator('.verdict')).toHaveAttribute('data-verdict', 'aborted');
  await expect(stage.page.locator('main')).not.toContainText('outcome reached');
}

/** Starts a run from the page of the procedure, where there is something to choose first. */
async function begin(stage: Stage, procedure: Procedure, down: Down): Promise<void> {
  const { olga, page } = stage;
  const { target } = down;
  const start = async () => {
    await olga.go(`/procedures/${procedure.slug}`);
    if (target !== undefined) await page.getByLabel('Target', { exact: true }).selectOption(target);
    for (const [label, value] of Object.entries(down.values ?? {})) await olga.fill(label, value);
    await page.getByRole('button', { name: /^Start run/ }).click();
    await page.waitForURL(/\/runs\/\d+/);
    return Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
  };
  await stage.begin(procedure.slug, target === undefined ? { start } : { start, target }, '');
}

/**
 * How a command ended that could not do its work stands beside it in words: the portal's own, or those that it printed. A pipeline may
 * end with 0 although a part of it has not.
 */
async function isInWords(stage: Stage, down: Down): Promise<void> {
  const ended = stage.page.locator('section.step .outcome').filter({ hasText: /exit [1-9]\d*|signal|\S+ ended [1-9]\d*:/ }).first();
  await expect(ended).toBeVisible();
  if (down.says === undefined) await expect(ended).toContainText(/(exit [1-9]\d* after [^:]+|\S+ ended [1-9]\d*): \S+ \S+/);
}

/** A step that cannot succeed does not, and the page says so; nor is anything else taken for good. */
async function isSaid(stage: Stage, procedure: Procedure, down: Down): Promise<void> {
  const { olga, page } = stage;
  await begin(stage, procedure, down);
  for (const place of down.before ?? []) {
    await olga.open(stage.run, place);
    await stage.deed(place, (await page.locator('#step-title').innerText()).trim(), {});
  }
  if (down.step !== undefined) {
    const { place, title } = down.step;
    await olga.open(stage.run, place);
    for (const command of down.skips ?? []) await stage.skip(command, `not what is asked of it, number ${command}`);
    const { choice, says } = down;
    await stage.deed(place, title, { comesTo: 'failed', ...(choice ? { choice } : {}), ...(says ? { says: [says] } : {}) });
    await isInWords(stage, down);
  }
  await nothingIsGreen(stage, down.what, down.before?.length);
  await givenUp(stage, down.what);
}

/** Whatever needs a part says so while it is down. */
export async function partIsDown(stage: Stage, all: Procedure[], part: Part, way: (procedure: Procedure) => Way): Promise<void> {
  const told = all.flatMap((procedure) => (way(procedure).down ?? []).filter(({ what }) => what === part).map((down) => ({ procedure, down })));
  const slugs = told.filter(({ down }) => down.step !== undefined).map(({ procedure }) => procedure.slug);
  // Nothing that needs it is left out.
  if (needs[part] !== undefined) expect(slugs.toSorted()).toEqual(needing(stage.house, part).toSorted());
  await without(part, async () => {
    for (const { procedure, down } of told) await isSaid(stage, procedure, down);
  });
}

/** Without ssh each of the procedures says so at its first step that goes there. */
export async function wayIsDown(stage: Stage, all: Procedure[], way: (procedure: Procedure) => Way): Promise<void> {
  await without('ssh', async () => {
    for (const procedure of all) {
      const { place, title } = way(procedure).reaches;
      await stage.begin(procedure.slug, {}, `SSH-${procedure.number}`);
      await stage.olga.open(stage.run, place);
      await stage.deed(place, title, { comesTo: /^(failed|interrupted)$/ });
      await expect(stage.page.locator('main'), procedure.title).toContainText(noWay);
      await nothingIsGreen(stage, 'ssh');
      await givenUp(stage, 'ssh');
    }
  });
}
