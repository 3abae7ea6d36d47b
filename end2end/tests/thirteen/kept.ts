// What a portal keeps and hands out of the runs in it: the values of `.env` and the token of the registry are nowhere in that.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { type Stage, traces } from './stage.ts';
import { secrets } from './world.ts';

/** What every one of the documents has printed beside those values, where they have printed them. */
const printed = 'SENTRY_DSN';

/** None of the values is in a text; what fails says which one it is, and not the value. */
function hasNone(text: string | Buffer, where: string): void {
  for (const [place, value] of secrets().entries()) expect(text.includes(value), `value ${place} in ${where}`).toBe(false);
}

/** After a run: nothing in the data with its recordings, nothing in what its record has given to take along. */
export async function keepsNone({ house, exported }: Stage): Promise<void> {
  expect(await traces(house.portal.data, secrets())).toEqual([]);
  expect(exported.length).toBeGreaterThan(0);
  for (const bytes of exported) hasNone(bytes, 'what the record gives to take along');
}

/** What the portal answers to somebody who looks; also that it answers. */
async function page(stage: Stage, path: string): Promise<string> {
  const answer = await stage.page.request.get(`${stage.house.portal.address}${path}`);
  expect(answer.ok(), `${path}: ${answer.status()}`).toBe(true);
  return await answer.text();
}

/** The steps of a run with the number of their attempts, and the run as programs get it. */
async function attempts(stage: Stage, run: number): Promise<{ text: string; of: [step: number, attempt: number][] }> {
  const text = await (await stage.ask('pages/run', { run: `${run}` })).text();
  const { steps } = (JSON.parse(text) as { run: { steps: { attempts: unknown[] }[] } }).run;
  return { text, of: steps.flatMap(({ attempts }, step) => attempts.map((_, attempt): [number, number] => [step + 1, attempt + 1])) };
}

/** A run as it is handed out: its page, each of its outputs on the page and raw, its evidence, and what programs get. */
async function handsOutNone(stage: Stage, run: number): Promise<void> {
  const { text, of } = await attempts(stage, run);
  hasNone(text, `run ${run} for programs`);
  const outputs = of.flatMap(([step, attempt]) => [`/runs/${run}?step=${step}&attempt=${attempt}`, `/runs/${run}/output/${step}/${attempt}`]);
  for (const path of [`/runs/${run}`, ...outputs, `/runs/${run}/evidence`]) hasNone(await page(stage, path), path);
}

/** A backup of the portal, made while it works. */
async function backsUpNone({ house: { portal } }: Stage): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portal-backup-'));
  const backup = join(folder, 'backup');
  execFileSync(portal.binary, ['backup', backup, '--data', portal.data], { stdio: 'pipe' });
  expect(await traces(backup, secrets())).toEqual([]);
  expect(await traces(backup, [printed]), 'outputs are in the backup').not.toEqual([]);
  await rm(folder, { recursive: true });
}

/** All that was kept and all that can be had, after all procedures were worked through. */
export async function noneAnywhere(stage: Stage, procedures: string[]): Promise<void> {
  const { portal, runs } = stage.house;
  expect(await traces(portal.data, secrets())).toEqual([]);
  // It is looked for where output really is.
  expect(await traces(portal.data, [printed]), 'output is found in the data').not.toEqual([]);
  for (const run of runs) await handsOutNone(stage, run);
  const pages = ['/', '/history', '/documents', '/approvals', '/account', '/metrics'];
  for (const path of [...pages, ...procedures.map((slug) => `/procedures/${slug}`)]) hasNone(await page(stage, path), path);
  for (const path of ['pages/home', 'pages/search', 'pages/documents']) hasNone(await (await stage.ask(path, {})).text(), path);
  hasNone(portal.console, 'the log');
  await backsUpNone(stage);
}
