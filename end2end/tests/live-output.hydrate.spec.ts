import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Portal } from './portal.ts';
import { expect, firstAccount, lines, slow, someone, test } from './fixtures.ts';

test('lines appear one by one, a reload loses and repeats none, and a second browser sees the same', async ({
  browser,
  operator,
  portal,
}) => {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 4);

  await operator.press('Run step 4: Watch lines arrive');

  await expect.poll(async () => slow(await operator.log()).length).toBeGreaterThan(0);
  const seen = slow(await operator.log()).length;
  expect(seen).toBeLessThan(20);
  await expect.poll(async () => slow(await operator.log()).length).toBeGreaterThan(seen);

  const other = await someone(browser, portal, 'otto', true);
  await other.open(run, 4);
  await operator.page.reload();

  await operator.step('Watch lines arrive', 'ok');
  await expect.poll(async () => slow(await operator.log())).toEqual(lines);
  await expect.poll(async () => slow(await other.log())).toEqual(lines);
  await expect(other.page.getByText('Olga Marin').first()).toBeVisible();
  await other.page.context().close();
});

test('a step can be stopped while it prints', async ({ operator }) => {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 4);
  await operator.press('Run step 4: Watch lines arrive');
  await expect.poll(async () => slow(await operator.log()).length).toBeGreaterThan(1);

  await operator.press('Stop step 4');

  await operator.step('Watch lines arrive', 'stopped');
  expect(slow(await operator.log()).length).toBeLessThan(20);
});

test('a run goes on with its plan when the document is edited, and says that it has changed', async ({ operator, portal }) => {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  const document = join(portal.runbooks, 'first-tour.md');
  const before = await readFile(document, 'utf8');

  await writeFile(document, before.replace('seq 1 20', 'seq 1 3'));
  await appendFile(document, '\n');
  await operator.open(run, 4);

  await expect(operator.page.getByText('The document has a newer version')).toBeVisible();
  await operator.page.getByText('Show the difference').click();
  await expect(operator.page.locator('.diff').getByText('seq 1 3')).toBeVisible();
  await operator.press('Run step 4: Watch lines arrive');
  await operator.step('Watch lines arrive', 'ok');
  await expect.poll(async () => slow(await operator.log())).toEqual(lines);
  await writeFile(document, before);
});

test('the portal is killed while a step prints: the page goes on at the same line', async ({ browser }) => {
  test.setTimeout(120_000);
  const portal = await Portal.start();
  try {
    const page = await browser.newPage();
    await firstAccount(page, portal, 'olga', 'Olga Marin');
    await page.close();
    const operator = await someone(browser, portal, 'olga', true);
    const run = await operator.start('first-tour', { Visitor: 'Olga' });
    await operator.open(run, 4);
    await operator.press('Run step 4: Watch lines arrive');
    await expect.poll(async () => slow(await operator.log()).length).toBeGreaterThan(3);

    await portal.end('SIGKILL');
    await portal.spawn();

    await operator.step('Watch lines arrive', 'ok');
    await expect.poll(async () => slow(await operator.log())).toEqual(lines);
  } finally {
    await portal.remove();
  }
});
