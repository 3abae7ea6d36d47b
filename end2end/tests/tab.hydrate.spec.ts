// A tab that follows a line every 10 ms for an hour holds as much in the end as it did in the begin: `make prove ONLY=tab`.
//
// PORTAL_TAB_MINUTES=n   how long it is followed (60)
import type { Page } from '@playwright/test';
import { endsInSight, lastDrawn, ROWS, watchDrawn } from './drawn.ts';
import { expect } from './fixtures.ts';
import { type Held, held } from './held.ts';
import { show, test } from './running.ts';

const minutes = Number(process.env['PORTAL_TAB_MINUTES'] ?? 60);

/** From one look to the next, in milliseconds: a minute, or less where there would be too few of them. */
const pause = Math.min(60_000, (minutes * 60_000) / 12);

const title = 'Say something every 10 ms';

const median = (numbers: number[]): number => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** The second quarter and the last one of what was measured. In the first a page still grows to what it needs. */
function quarters(numbers: number[]): { early: number; late: number } {
  const quarter = Math.floor(numbers.length / 4);
  return { early: median(numbers.slice(quarter, 2 * quarter)), late: median(numbers.slice(-quarter)) };
}

/** Looks at a tab so often, from one look to the next a pause apart; it has to go on showing what is new all the while. */
async function measured(page: Page, looks: number): Promise<Held[]> {
  const all: Held[] = [];
  let line = 0;
  for (let look = 0; look < looks; look += 1) {
    await page.waitForTimeout(pause);
    const now = await lastDrawn(page);
    // A line every 10 ms: the tab must not have fallen behind by more than a part of that.
    expect(now - line, 'lines that came since the last look').toBeGreaterThan((pause / 10) * 0.8);
    await expect.poll(() => endsInSight(page)).toBe(true);
    line = now;
    all.push(await held(page));
  }
  return all;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

test('a tab that follows a line every 10 ms does not grow', { tag: '@long' }, async ({ operator, gate }) => {
  test.setTimeout(minutes * 60_000 + 300_000);
  const { page } = operator;
  await show(operator, 10);
  const most = await watchDrawn(page);
  await operator.press(`Run step 10: ${title}`);
  await expect.poll(() => lastDrawn(page)).toBeGreaterThan(0);

  const all = await measured(page, Math.round((minutes * 60_000) / pause));
  await gate.open();
  await operator.step(title, 'ok');
  await expect.poll(async () => (await operator.log()).at(-1)).toMatch(/^\d+ lines in all/);
  const lines = parseInt((await operator.log()).at(-1) ?? '', 10);

  const [scripts, program, nodes] = (['scripts', 'program', 'nodes'] as const).map((kind) => quarters(all.map((one) => one[kind])));
  const said = [scripts, program].map((one) => `${megabytes(one?.early ?? 0)} and then ${megabytes(one?.late ?? 0)}`);
  const figures = `${lines} lines in ${minutes} min: scripts ${said[0]}, program ${said[1]}, nodes ${nodes?.early} and then ${nodes?.late}`;
  test.info().annotations.push({ type: 'figures', description: figures });
  console.log(JSON.stringify(all));
  for (const { early, late } of [scripts!, program!]) expect(late, figures).toBeLessThanOrEqual(early * 1.05 + 1e6);
  expect(nodes!.late, figures).toBeLessThanOrEqual(nodes!.early * 1.05 + 100);
  expect(lines).toBeGreaterThan(minutes * 6_000 * 0.9);
  expect((await most()).rows, 'rows that were drawn at once').toBeLessThanOrEqual(ROWS);
});
