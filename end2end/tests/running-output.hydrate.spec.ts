// Output that is much, fast, long, coloured or painted, looked at while it runs and after its end: in both themes, on a phone and on a desk.
// `make pictures` runs it and keeps the pictures; the documents of its steps are in running-output.md.
import { execFileSync } from 'node:child_process';
import { endsInSight, lastDrawn, ROWS, watchDrawn } from './drawn.ts';
import { expect, type Operator } from './fixtures.ts';
import { watch } from './look.ts';
import { endWatch } from './machine.ts';
import { type Gate, show, test } from './running.ts';

/** A step of the document, and how its output is known. */
type Output = {
  /** Its place. */
  step: number;
  title: string;
  /** What its pictures are called. */
  name: string;
  /** What its state is called while it runs. */
  state: 'running' | 'watching';
  /** Comes to hold once there is something to look at. */
  begins: (operator: Operator) => Promise<void>;
  /** Holds in each picture. */
  holds: (operator: Operator) => Promise<void>;
  /** Has it come to its end. */
  ends: (operator: Operator, gate: Gate) => Promise<void>;
  /** Holds when it has. */
  over: (operator: Operator) => Promise<void>;
  /** So many elements are drawn at most. */
  elements?: number;
};

/** Each row has a few elements, unless its text has many colours. */
const ELEMENTS = 4 * ROWS;

test.describe.configure({ timeout: 240_000 });

/** Who follows sees the last line: from one picture to the next, whatever is printed between them. */
async function follows({ page }: Operator): Promise<void> {
  await expect.poll(() => endsInSight(page)).toBe(true);
  for (let frame = 0; frame < 10; frame += 1) expect(await endsInSight(page), 'the last line stays in sight').toBe(true);
}

const rows = async (operator: Operator) => (await operator.log()).map((line) => line.trim());

/** Waits until the log ends with some lines. */
const endsWith =
  (...lines: string[]) =>
  async (operator: Operator) =>
    await expect.poll(async () => (await rows(operator)).slice(-lines.length)).toEqual(lines);

/** Waits until a line is drawn, or one behind it. */
const reaches = (line: number) => async (operator: Operator) =>
  await expect.poll(() => lastDrawn(operator.page), { timeout: operator.patience }).toBeGreaterThanOrEqual(line);

/** What is the same for steps that print lines. */
const printed = { state: 'running', holds: follows, ends: async (_: Operator, gate: Gate) => await gate.open() } as const;

/** How often the line was written that is written over and over. */
const updates = async (operator: Operator) => Number(/update (\d+)/.exec((await rows(operator)).join('\n'))?.[1] ?? 0);

const images = ['pulling', 'base', 'compiler', 'web', 'database', 'mail'];

/** The first words of the rows. */
const firsts = async (operator: Operator) => (await rows(operator)).map((row) => row.split(' ')[0]);

/** The screen of the program that runs, or that ran. */
const screen = ({ page }: Operator) => page.locator('li[data-kind="screen"] .screen');

const outputs: Output[] = [
  {
    ...printed,
    step: 1,
    title: 'Count to a million',
    name: 'million',
    begins: reaches(500_000),
    over: endsWith(...Array.from({ length: 20 }, (_, index) => `${999_981 + index}`)),
  },
  {
    ...printed,
    step: 2,
    title: 'Print 100 MB of lines',
    name: 'bulk',
    begins: reaches(799_000),
    over: endsWith('1333333'.padStart(74, '0'), '1333334'.padStart(74, '0')),
  },
  {
    ...printed,
    step: 3,
    title: 'Print one line of 100 MB',
    name: 'long-line',
    begins: async ({ page }) =>
      await expect.poll(() => page.locator('ol.log').evaluate((list) => list.textContent?.length ?? 0)).toBeGreaterThan(100_000),
    over: endsWith('the long line is over'),
  },
  {
    ...printed,
    step: 4,
    title: 'Print all bytes',
    name: 'all-bytes',
    begins: reaches(900),
    over: endsWith('all bytes, 20 times'),
  },
  {
    ...printed,
    step: 5,
    title: 'Change the colour often',
    name: 'colours',
    begins: reaches(30),
    over: endsWith('10000 changes of colour'),
    elements: ELEMENTS + 10_000,
  },
  {
    ...printed,
    step: 6,
    title: 'Write a line over and over',
    name: 'updates',
    begins: async (operator) => await expect.poll(() => updates(operator)).toBeGreaterThan(1_000),
    over: async (operator) => {
      await expect.poll(async () => (await rows(operator)).at(-1)).toMatch(/^\d+ updates in all$/);
      const [line, sum, ...others] = await rows(operator);
      expect(others, 'all of them are one line').toEqual([]);
      expect(line).toMatch(new RegExp(`^update ${parseInt(sum ?? '', 10)}\\b`));
    },
  },
  {
    ...printed,
    step: 7,
    title: 'Pull five images',
    name: 'progress',
    begins: async (operator) => {
      await expect.poll(() => firsts(operator)).toEqual(images);
      const then = (await rows(operator))[1];
      await expect.poll(async () => (await rows(operator))[1], 'a row is written over').not.toBe(then);
    },
    over: async (operator) => {
      await expect.poll(async () => (await rows(operator)).at(-1)).toBe('all five are here');
      expect(await firsts(operator)).toEqual([...images, 'all']);
      for (const row of (await rows(operator)).slice(1, -1)) expect(row).toMatch(/ 100 %/);
    },
  },
  {
    step: 8,
    title: 'Watch the processes',
    name: 'top',
    state: 'watching',
    begins: async (operator) => await expect(screen(operator)).toContainText('PID USER'),
    holds: async (operator) => await expect(screen(operator)).toContainText('PID USER'),
    ends: async ({ page }) => await page.getByRole('button', { name: 'Press q' }).click(),
    over: async ({ page }) => await expect(page.getByText('Last screen of top.')).toBeVisible(),
  },
];

const stats: Output = {
  step: 9,
  title: 'Watch the containers',
  name: 'docker-stats',
  state: 'watching',
  begins: async (operator) => await expect(screen(operator)).toContainText(/CONTAINER ID[^]* \d+\.\d+%/),
  holds: async (operator) => await expect(screen(operator)).toContainText('CONTAINER ID'),
  ends: async (operator) => await endWatch(operator, 1),
  over: async ({ page }) => await expect(page.getByText('Last screen of docker stats.')).toBeVisible(),
};

/** Looks at the output of a step while it runs and after its end. */
async function lookAt(output: Output, operator: Operator, gate: Gate): Promise<void> {
  const { page } = operator;
  const { step, title, name, state } = output;
  operator.patience = 60_000;
  await show(operator, step);
  const most = await watchDrawn(page);

  await operator.press(`Run step ${step}: ${title}`);
  await output.begins(operator);
  await watch(page, `running-${name}`, () => output.holds(operator));
  await operator.step(title, state);

  await output.ends(operator, gate);
  await operator.step(title, 'ok');
  await output.over(operator);
  await watch(page, `ended-${name}`, () => output.holds(operator));

  const { rows, elements } = await most();
  expect(rows, 'rows that were drawn at once').toBeLessThanOrEqual(ROWS);
  expect(elements, 'elements that were drawn at once').toBeLessThanOrEqual(output.elements ?? ELEMENTS);
}

for (const output of outputs) {
  test(`${output.title}: followed on every screen, to its last line`, { tag: '@long' }, async ({ operator, gate }) => {
    await lookAt(output, operator, gate);
  });
}

/** How many containers run; none also where no engine answers. */
function containers(): number {
  try {
    return execFileSync('docker', ['ps', '--quiet'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().split('\n').filter(Boolean).length;
  } catch {
    return 0;
  }
}

test('Watch the containers: followed on every screen, to its last one', { tag: '@long' }, async ({ operator, gate }) => {
  const without = 'no Docker engine with containers answers here: nobody has looked at docker stats (make stack starts one)';
  if (containers() === 0) console.log(`SKIPPED: ${without}`);
  test.skip(containers() === 0, without);
  await lookAt(stats, operator, gate);
});
