// How a log of a million lines feels in a browser: the longest time for which it stands still, and what it holds in memory.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { expect, test, type Operator } from '../tests/fixtures.ts';
import { held } from '../tests/held.ts';

const folder = join(process.env['CARGO_TARGET_DIR'] ?? resolve(import.meta.dirname, '../../target'), 'bench');
const file = join(folder, 'browser.json');
const rounds = Number(process.env['PORTAL_BENCH_ROUNDS'] ?? 3);

/** What was found in each round, in a unit, and the most that it may be. */
type Figure = { name: string; unit: 'ms' | 'MiB'; goal: number; found: number[] };

/** Keeps a figure for the table that is put together from all of them. */
async function keep({ found, ...figure }: Figure): Promise<void> {
  await mkdir(folder, { recursive: true });
  const known = JSON.parse(await readFile(file, 'utf8').catch(() => '[]')) as { name: string }[];
  const kept = { ...figure, rounds: found.map((one) => ({ found: one })) };
  await writeFile(file, JSON.stringify([...known.filter(({ name }) => name !== figure.name), kept], undefined, 2));
}

/** Runs a step that prints a million lines, and shows its log. */
async function million(operator: Operator): Promise<void> {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.add('seq 1 1000000', 'Count to a million');
  await operator.press('Run the added step: Count to a million');
  operator.patience = 60_000;
  await operator.step('Count to a million', 'ok');
  await expect(operator.page.locator('ol.log')).toContainText('1000000');
}

/** The longest task of the page's own thread while something is done, in milliseconds, by the browser's own tracing. */
async function longestTask(browser: Browser, page: Page, deed: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline', '__metadata'] });
  await deed();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: { name: string; ph: string; pid: number; tid: number; dur?: number; args?: { name?: string } }[];
  };
  const threads = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const own = new Set(threads.map(({ pid, tid }) => `${pid}-${tid}`));
  const tasks = traceEvents.filter(({ name, ph, pid, tid }) => ph === 'X' && /RunTask$/.test(name) && own.has(`${pid}-${tid}`));
  expect(tasks.length, 'the trace has the tasks of the page').toBeGreaterThan(10);
  return Math.max(...tasks.map(({ dur }) => (dur ?? 0) / 1000));
}

/** What the page's scripts and its program hold, in MiB, after what nobody needs was thrown away. */
async function heap(page: Page): Promise<number> {
  const { scripts, program } = await held(page);
  return (scripts + program) / 2 ** 20;
}

/** A reader drags the bar through all of the log and turns the wheel. */
async function scroll(page: Page): Promise<void> {
  const list = page.locator('ol.log');
  for (let place = 0; place <= 20; place += 1) {
    await list.evaluate((box, part) => (box.scrollTop = (box.scrollHeight - box.clientHeight) * part), 1 - place / 20);
    await page.waitForTimeout(100);
  }
  await list.hover();
  for (let turn = 0; turn < 100; turn += 1) {
    await page.mouse.wheel(0, 240);
    await page.waitForTimeout(20);
  }
}

test('a log of a million lines is scrolled without standing still', async ({ browser, operator }) => {
  const { page } = operator;
  await million(operator);
  const longest: number[] = [];
  const heaps: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    longest.push(await longestTask(browser, page, async () => await scroll(page)));
    heaps.push(await heap(page));
  }
  await keep({ name: 'scrolling 1,000,000 lines in Chromium: longest task', unit: 'ms', goal: 50, found: longest });
  await keep({ name: 'scrolling 1,000,000 lines in Chromium: heap', unit: 'MiB', goal: 100, found: heaps });
});

/** Follows a step that prints 200,000 lines in bursts, in a run of its own; gives the longest task meanwhile. */
async function followed(browser: Browser, operator: Operator): Promise<number> {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.add("sh -c 'for n in 1 2 3 4 5 6 7 8 9 10; do seq 1 20000; sleep 0.2; done'", 'Print a lot');
  return await longestTask(browser, page, async () => {
    await operator.press('Run the added step: Print a lot');
    await operator.step('Print a lot', 'ok');
  });
}

test('output at full speed does not make the page stand still', async ({ browser, operator }) => {
  operator.patience = 60_000;
  const longest: number[] = [];
  for (let round = 0; round < rounds; round += 1) longest.push(await followed(browser, operator));
  await keep({ name: 'following output at full speed in Chromium: longest task', unit: 'ms', goal: 50, found: longest });
});
