// Every page in the states that people meet it in: readable by everybody, in both themes, at every width.
import { setUp } from './factor.ts';
import { expect, someone, test } from './fixtures.ts';
import { look } from './look.ts';
import { Portal } from './portal.ts';
import { lookAt, orders, Shop } from './shop.ts';

test.describe.configure({ timeout: 400_000 });

test('what a stranger sees', async ({ browser }) => {
  const portal = await Portal.start();
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(portal.setUpLink);
    await look(page, 'set-up');
    await page.goto(`${portal.address}/sign-in`);
    await look(page, 'sign-in-before-set-up');
    await page.goto(`${portal.address}/set-up?token=wrong`);
    await page.getByLabel('Sign-in name').fill('ada');
    await page.getByLabel('Name', { exact: true }).fill('Ada Lind');
    await page.getByLabel('Password').fill('grandfather clock pelican');
    await page.getByRole('button', { name: 'Create the first account' }).click();
    await expect(page.getByRole('alert')).toContainText('No account was made');
    await look(page, 'set-up-refused');
  } finally {
    await portal.remove();
  }
});

test('signing in, and a login that does not fit', async ({ browser, portal }) => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${portal.address}/sign-in`);
  await look(page, 'sign-in');
  await page.getByLabel('Sign-in name').fill('olga');
  await page.getByLabel('Password').fill('not this one, surely');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await look(page, 'sign-in-refused');
  await page.context().close();
});

test('pages to read', async ({ operator }) => {
  const { page } = operator;
  for (const [path, name] of [
    ['/', 'home'],
    ['/procedures/first-tour', 'procedure-tour'],
    ['/procedures/restart-adonisjs-backend-service', 'procedure-restart'],
    ['/procedures/restore-from-backup', 'procedure-restore'],
    ['/procedures/explain-a-red-test', 'procedure-with-findings'],
    ['/history', 'history'],
    ['/history?words=nothing+like+this', 'history-empty'],
    ['/documents', 'documents'],
    ['/account', 'account'],
    ['/people', 'people-denied'],
    ['/audit', 'audit-denied'],
    ['/nowhere', 'not-found'],
    ['/runs/999999', 'run-not-found'],
  ] as const) {
    await operator.go(path);
    await look(page, name);
  }
});

test('pages for administrators', async ({ browser, portal }) => {
  const administrator = await someone(browser, portal, 'ada', true);
  await administrator.go('/people');
  await look(administrator.page, 'people');
  await administrator.go('/audit');
  await look(administrator.page, 'audit');
  await administrator.page.getByRole('button', { name: 'Verify now' }).click();
  await expect(administrator.page.getByText('Everything is as it was recorded')).toBeVisible();
  await look(administrator.page, 'audit-verified');
  await administrator.page.context().close();
});

test('search and the list of keys', async ({ operator }) => {
  const { page } = operator;
  await operator.go('/');
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').fill('restore');
  await look(page, 'palette');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await look(page, 'keys');
});

test('a run in all its states', async ({ operator }) => {
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' }, 'to look at it');
  await look(page, 'run-fresh');
  for (const [step, title] of [
    [2, 'Make a scratch folder'],
    [5, 'Fill in values'],
  ] as const) {
    await operator.open(run, step);
    await operator.press(`Run step ${step}: ${title}`);
    await operator.step(title, 'ok');
  }
  await operator.open(run, 6);
  await operator.press('Run step 6: Stop a watch');
  await operator.step('Stop a watch', 'watching');
  await look(page, 'run-watching');
  await operator.press('Stop watch and go on');
  await operator.step('Stop a watch', 'ok');
  await operator.open(run, 7);
  await operator.press('Run step 7: Find a difference');
  await operator.step('Find a difference', 'paused');
  await look(page, 'run-difference');
  await operator.open(run, 8);
  await operator.press('Run step 8: See through a pipeline');
  await operator.step('See through a pipeline', 'failed');
  await look(page, 'run-failed');
  await operator.open(run, 10);
  await look(page, 'run-choice');
  await operator.open(run, 11);
  await look(page, 'run-confirm');
  await operator.finish('not reached', 'Only looked at.');
  await look(page, 'run-finished');
  await operator.go('/');
  await look(page, 'home-with-runs');
  await operator.go('/history');
  await look(page, 'history-with-runs');
});

test('a step that needs an approval', async ({ operator }) => {
  const run = await operator.start('restore-from-backup');
  await operator.open(run, 5);
  await look(operator.page, 'run-needs-approval');
});

test('a request for approval, from the question to the answer', async ({ browser, operator, portal }) => {
  const { page } = operator;
  const backup = '/var/backups/brainbytes/nightly-20260301.archive.gz';
  const run = await operator.start('restore-from-backup', { Backup: backup }, 'OPS-430');
  await look(page, 'run-to-ask');
  await page.getByLabel('Why, for the lead who decides').fill('sessions are corrupt since the release of last night');
  await operator.press('Ask for approval');
  await expect(page.getByText('“Restore database” waits for a lead.')).toBeVisible();
  await operator.open(run, 3);
  await look(page, 'run-asked');

  const lead = await someone(browser, portal, 'lena', true);
  await lead.go('/account');
  const { codes } = await setUp(lead.page);
  await lead.go('/approvals');
  await look(lead.page, 'inbox');
  await lead.go(`/approvals/${run}-1`);
  await look(lead.page, 'decision');
  await lead.page.getByRole('textbox', { name: /^Reason/ }).fill('Not before the dump of today is safe.');
  await lead.page.getByLabel('Code of your second factor').fill(codes[0] ?? '');
  await lead.press(/^Reject request/);
  await expect(lead.page.getByText('Lena Fischer said no').first()).toBeVisible();
  await look(lead.page, 'decision-rejected');
  await lead.go('/approvals');
  await look(lead.page, 'inbox-empty');
  await lead.page.context().close();
  await operator.open(run, 5);
  await look(page, 'run-rejected');
});

test('several people, an added step, a lock', async ({ browser, operator, portal }) => {
  test.setTimeout(300_000);
  const { page } = operator;
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  const other = await someone(browser, portal, 'otto', true);
  await other.open(run, 2);
  await look(other.page, 'run-theirs');

  await operator.add('read -r answer; docker restart no-such-container', 'Ask before the restart');
  await operator.press('Run the added step: Ask before the restart');
  await expect(page.getByText('Command 1 may be waiting for input.')).toBeVisible();
  await look(page, 'run-asking');
  await page.getByRole('button', { name: 'Send line' }).click();
  await operator.step('Ask before the restart', 'failed');

  await other.start('first-tour', { Visitor: 'Otto' });
  await expect(other.page.getByText('Another run keeps this target')).toBeVisible();
  await look(other.page, 'run-locked');
  await other.page.context().close();

  await operator.finish('aborted', 'Only looked at.');
  await expect(page.getByLabel('Change of the document')).toContainText('Ask before the restart');
  await look(page, 'run-with-patch');
});

test('another machine, there and refused', async ({ browser }) => {
  const shop = await Shop.open(browser);
  try {
    const olga = await shop.olga(browser, true);
    const { page } = olga;
    await lookAt(olga, shop, 'shop', true);
    await look(page, 'procedure-look');
    await lookAt(olga, shop, 'stranger', true);
    await look(page, 'procedure-look-refused');
    await olga.press(/^Start run/);
    await page.waitForURL(/\/runs\/\d+/);
    await olga.open(1, 2);
    await olga.press(/^Run step 2/);
    await expect(page.getByText('Nothing was run: The key of the machine is not in known_hosts')).toBeVisible({ timeout: olga.patience });
    await look(page, 'run-target-refused');
    await page.context().close();
  } finally {
    await shop.close();
  }
});

test('another machine, with a link that is lost in the middle of a step', async ({ browser }) => {
  const shop = await Shop.open(browser);
  try {
    const olga = await shop.olga(browser, true);
    const { page } = olga;
    const run = await olga.start(shop.slug, {}, 'to look at it');
    const panel = page.getByRole('region', { name: 'Before the first step' });
    await expect(panel).toContainText('Looked at shop, ', { timeout: olga.patience });
    await look(page, 'run-target');
    await olga.open(run, 2);
    await olga.press(/^Run step 2/);
    await expect(page.getByText(`order 3 of ${orders}`)).toBeVisible({ timeout: olga.patience });
    await shop.sshd.cut();
    await expect(page.getByText(`No link to ${shop.sshd.place}`)).toBeVisible({ timeout: olga.patience });
    await look(page, 'run-link-lost');
    await shop.sshd.startAgain();
    await olga.step('Count the orders', 'ok');
    await page.context().close();
  } finally {
    await shop.close();
  }
});
