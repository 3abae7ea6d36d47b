// An editor that needs a full keyboard: approved by a lead in a second browser, typed into through the page, and left again.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Operator, populate, someone, test } from './fixtures.ts';
import { setUp } from './factor.ts';
import { look } from './look.ts';
import { Portal } from './portal.ts';

const command = 'busybox vi notes.txt';

const document = `# Change a file by hand

## Steps

1. **Write the note**

   \`\`\`bash
   ${command}
   \`\`\`
`;

/** A portal with an interactive step, and the folder in which it works. */
async function world(): Promise<{ folder: string; portal: Portal }> {
  const folder = await mkdtemp(join(tmpdir(), 'portal-keyboard-'));
  const runbooks = await mkdtemp(join(folder, 'runbooks-'));
  await writeFile(join(runbooks, 'by-hand.md'), document);
  await writeFile(
    join(runbooks, 'by-hand.portal.toml'),
    `directory = ${JSON.stringify(folder)}\n[procedure."Change a file by hand".step."Write the note"]\ninteractive = true\n`,
  );
  return { folder, portal: await Portal.start(runbooks) };
}

/** Lets a lead approve the one step of a run, in a browser of their own. */
async function approve(lena: Operator, olga: Operator, run: number): Promise<void> {
  await lena.go('/account');
  const { codes } = await setUp(lena.page);
  await olga.open(run, 1);
  await olga.page.getByLabel('Why, for the lead who decides').fill('a value that only an editor can set');
  await olga.press('Ask for approval');
  await expect(olga.page.getByText('“Write the note” waits for a lead.')).toBeVisible();
  await lena.go('/approvals');
  await lena.page.getByRole('link', { name: 'Write the note on local' }).click();
  await lena.page.getByLabel('Code of your second factor').fill(codes[0] ?? '');
  await lena.page.getByRole('button', { name: 'Approve “Write the note”' }).click();
  await expect(lena.page.getByText(/Lena Fischer approved/).first()).toBeVisible();
}

/** Types with the keyboard of the page, which is handed over and taken back. */
async function byKeyboard(olga: Operator): Promise<void> {
  const { page } = olga;
  const screen = page.getByRole('group', { name: `Screen of ${command}`, exact: true });
  const last = screen.locator('div').last();
  const hand = page.getByRole('button', { name: 'Hand your keys to step 1' });
  await expect(last).toHaveText(/^- notes.txt/);
  await page.getByRole('button', { name: 'Send a line or a single key' }).click();

  await hand.click();
  await expect(page.getByRole('status').filter({ hasText: 'Your keys go to step 1' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Keyboard of step 1' })).toBeFocused();
  // As fast as a machine types: letters that are keys of the page elsewhere, signs, and the keys of an editor.
  await page.keyboard.type('irxjk?/ n: the quick brown fox jumps over the lazy dog 0123456789');
  await page.keyboard.press('Enter');
  await page.keyboard.type('zweite Zeilxe');
  for (const key of ['Backspace', 'ArrowLeft', 'Delete', 'Escape']) await page.keyboard.press(key);
  await expect(last).toHaveText(/^- notes.txt/);
  await expect(screen.locator('div').nth(1)).toHaveText('zweite Zeil');
  await look(page, 'keyboard');

  // The way out, also by a key; then letters are the page's own again.
  await page.keyboard.press('Control+]');
  await expect(hand).toBeFocused();
  await expect(page.getByText('Your keys go to step 1')).toBeHidden();
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your keys go to step 1')).toBeVisible();
  await page.getByRole('button', { name: 'Take your keys back' }).click();
  await expect(page.getByText('Your keys go to step 1')).toBeHidden();

  await page.getByRole('button', { name: 'Press Esc', exact: true }).click();
  await hand.click();
  await page.keyboard.type(':wq');
  await page.keyboard.press('Enter');
}

/** Types the same by forms, with a fresh page after each. */
async function byForms(olga: Operator): Promise<void> {
  const { page } = olga;
  const line = page.getByLabel('A line for the program');
  await olga.until(async () => {
    await expect(line).toBeVisible({ timeout: 300 });
    await expect(page.getByText(/^- notes.txt/)).toBeVisible({ timeout: 300 });
  });
  await line.fill('irxjk?/ n: the quick brown fox jumps over the lazy dog 0123456789');
  await page.getByRole('button', { name: 'Send with Enter' }).click();
  await line.fill('zweite Zeil');
  await page.getByRole('button', { name: 'Send without Enter' }).click();
  await page.getByRole('button', { name: 'Press Esc', exact: true }).click();
  await olga.until(async () => {
    await expect(page.getByText(/^- notes.txt/)).toBeVisible({ timeout: 300 });
    await expect(page.getByText('zweite Zeil', { exact: true })).toBeVisible({ timeout: 300 });
  });
  await page.getByLabel('Another key, as ctrl-x').fill('hyper-x');
  await page.getByRole('button', { name: 'Press key' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'There is no such key' })).toBeVisible();
  await line.fill(':wq');
  await page.getByRole('button', { name: 'Send with Enter' }).click();
}

test('an editor is approved, typed into through the page, and writes its file', async ({ browser, scripts }) => {
  test.setTimeout(240_000);
  const { folder, portal } = await world();
  try {
    await populate(browser, portal);
    const olga = await someone(browser, portal, 'olga', scripts);
    const lena = await someone(browser, portal, 'lena', scripts);
    const run = await olga.start('change-a-file-by-hand', {}, 'OPS-440');
    await approve(lena, olga, run);

    await olga.open(run, 1);
    await olga.press(/^Run step 1/);
    // The lead's page says so by itself, and asks nobody again.
    await lena.until(async () => {
      await expect(lena.page.getByText('It was approved, and runs: Olga Marin started it')).toBeVisible({ timeout: scripts ? 10_000 : 300 });
    });
    await expect(lena.page.getByText('1 lead needed')).toHaveCount(0);
    await expect(olga.page.getByRole('heading', { name: 'Needs a lead' })).toHaveCount(0);
    if (scripts) await look(lena.page, 'decision-running');
    await (scripts ? byKeyboard(olga) : byForms(olga));

    await olga.step('Write the note', 'ok');
    const lines = 'rxjk?/ n: the quick brown fox jumps over the lazy dog 0123456789\nzweite Zeil\n';
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe(lines);
    await olga.finish('reached');
    await expect(olga.page.locator('main')).toContainText(/Olga Marin typed \d+ B with the keyboard into command 1 of step 1/);
    for (const person of [olga, lena]) await person.page.context().close();
  } finally {
    await portal.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
