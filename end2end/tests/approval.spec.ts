// A restore from the user's own file, or from one of the same words: asked for before anything is stopped, approved by a lead on a
// phone, and only then done.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Operator, populate, someone } from './fixtures.ts';
import { Lead } from './lead.ts';
import { Portal } from './portal.ts';
import { restore, running, stack, test } from './stack.ts';
import { restoreParameters, usersFile } from './users-file.ts';

/** The same four steps in our own words, for where the user's file is not. */
const document = `# Restore from Backup

## Restore from Backup

### Steps

1. **List available backups**

   \`\`\`bash
   ls -l /path/to/backups/
   \`\`\`

2. **Stop dependent services**

   \`\`\`bash
   docker-compose -f docker/compose.prod.yml stop adonisjs nextjs
   \`\`\`

3. **Restore database**

   \`\`\`bash
   mongorestore --drop --gzip --archive=/path/to/backup/latest.dump
   \`\`\`

4. **Restart services**

   \`\`\`bash
   docker-compose -f docker/compose.prod.yml up -d
   \`\`\`
`;

/** A folder with documents, a database of two collections, and a backup of one of them. */
async function world(): Promise<{ folder: string; runbooks: string; data: string; backup: string; config: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'portal-restore-'));
  const [runbooks, data, backups, bin] = ['runbooks', 'database', 'backups', 'bin'].map((name) => join(folder, name)) as [string, string, string, string];
  for (const path of [runbooks, data, backups, bin]) await mkdir(path);
  const file = usersFile();
  console.log(`user's file: ${file === undefined ? 'ABSENT' : '1/1'}`);
  if (file === undefined) await writeFile(join(runbooks, 'restore.md'), document);
  else await copyFile(file, join(runbooks, 'restore.md'));
  await writeFile(join(data, 'sessions.json'), '{"good":1}\n{"good":2}\n');
  await writeFile(join(data, 'users.json'), '{"user":1}\n');
  const backup = join(backups, 'latest.dump');
  execFileSync('tar', ['-czf', backup, '-C', data, 'sessions.json']);
  await writeFile(join(data, 'sessions.json'), '{"corrupt":true}\n');
  await copyFile(join(stack, 'bin/mongorestore'), join(bin, 'mongorestore'));
  execFileSync('chmod', ['+x', join(bin, 'mongorestore')]);
  await writeFile(join(bin, 'database'), `${data}\n`);
  await writeFile(join(runbooks, 'restore.portal.toml'), `
target = "practice"
directory = ${JSON.stringify(stack)}
literal = ["user@production-server"]

${restoreParameters(backups)}`);
  const config = join(folder, 'portal.toml');
  const path = `${bin}:${process.env['PATH'] ?? ''}`;
  await writeFile(config, `[target.practice]\nkind = "local"\nabout = "the practice stack"\npath = ${JSON.stringify(path)}\n`);
  return { folder, runbooks, data, backup, config };
}

/** Takes the evidence of the run that is open along, and checks it with the program of a few lines that shares nothing with the portal. */
async function evidence(operator: Operator, portal: Portal, folder: string): Promise<string> {
  const [download] = await Promise.all([
    operator.page.waitForEvent('download'),
    operator.page.getByRole('link', { name: 'Evidence' }).click(),
  ]);
  const [bundle, key] = [join(folder, 'evidence.tar'), join(folder, 'key.pem')];
  await download.saveAs(bundle);
  await writeFile(key, execFileSync(portal.binary, ['audit', 'key', '--data', portal.data]));
  const said = execFileSync(portal.binary, ['audit', 'check', bundle, '--key', key], { encoding: 'utf8' });
  expect(said).toContain('approved Restore database');
  const program = join(import.meta.dirname, '../../docs/check-evidence.mjs');
  const story = execFileSync(process.execPath, [program, bundle, key], { encoding: 'utf8' });
  // One byte less, and it proves nothing.
  const bytes = await readFile(bundle);
  const place = bytes.indexOf('sessions are corrupt');
  await writeFile(bundle, Buffer.concat([bytes.subarray(0, place), Buffer.from('S'), bytes.subarray(place + 1)]));
  expect(() => execFileSync(process.execPath, [program, bundle, key], { stdio: 'pipe' })).toThrow('NOT PROVEN: an event was changed');
  return story;
}

test('a restore is asked for first, approved by a lead on a phone, and done only then', async ({ browser, scripts }) => {
  test.setTimeout(240_000);
  const { folder, runbooks, data, backup, config } = await world();
  const portal = await Portal.start(runbooks, config);
  try {
    await populate(browser, portal);
    const olga = await someone(browser, portal, 'olga', scripts);
    const lena = await Lead.arrive(browser, portal, scripts);
    const values = { Backups: join(folder, 'backups'), Backup: backup };
    const run = await olga.start('restore-from-backup', values, 'OPS-431');

    // The first screen offers the request, before anything is stopped.
    await expect(olga.page.getByRole('heading', { name: 'Needs a lead' })).toBeVisible();
    await expect(olga.page.getByRole('checkbox', { name: /step 3, Restore database/ })).toBeChecked();
    await olga.page.getByLabel('Why, for the lead who decides').fill('sessions are corrupt since the last release');
    await olga.press('Ask for approval');
    await expect(olga.page.getByText('“Restore database” waits for a lead.')).toBeVisible();
    await olga.open(run, 1);
    await olga.press(/^Run step 1/);
    await olga.step('List available backups', 'ok');

    // Before the outage the page says that the services would stay away.
    await olga.open(run, 2);
    await expect(olga.page.getByText('the service would be away until a lead decides').last()).toBeVisible();
    expect(running()).toEqual(['adonisjs', 'nextjs']);

    // From the inbox: open, look, decide. Three taps and the factor.
    await lena.consider('Restore database', 'practice');
    const page = lena.page;
    for (const words of ['mongorestore', 'sessions are corrupt since the last release', 'Backup file', 'Who else works on practice'])
      await expect(page.getByText(words).first()).toBeVisible();
    expect(await page.evaluate(() => window.document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await lena.approve('Restore database');

    // Only now the services go, the data is really replaced, and the services come back.
    await olga.open(run, 2);
    await olga.press(/^Run step 2/);
    await olga.step('Stop dependent services', 'ok');
    expect(running()).toEqual([]);
    await olga.open(run, 3);
    await olga.press(/^Run step 3/);
    await olga.step('Restore database', 'ok');
    expect(await readFile(join(data, 'sessions.json'), 'utf8')).toBe('{"good":1}\n{"good":2}\n');
    expect(await readFile(join(data, 'users.json'), 'utf8')).toBe('{"user":1}\n');
    await olga.open(run, 4);
    await olga.press(/^Run step 4/);
    await olga.step('Restart services', 'ok');
    expect(running()).toEqual(['adonisjs', 'nextjs']);
    await olga.finish('reached');

    // The record tells the whole story, and the services were not away while the lead decided.
    const record = olga.page.locator('main');
    for (const words of ['asked for the approval of Restore database', 'Lena Fischer approved Restore database', 'services away for'])
      await expect(record).toContainText(words);
    const story = await evidence(olga, portal, folder);
    for (const words of ['run:1: ', 'Olga Marin approval_requested', 'Lena Fischer approval_granted', 'run_finished']) expect(story).toContain(words);
    await olga.go('/approvals');
    await expect(olga.page.getByRole('row').filter({ hasText: 'Restore database' })).toContainText('used');

    // A second restore needs a second approval.
    const again = await olga.start('restore-from-backup', values, 'OPS-432');
    await olga.open(again, 3);
    await expect(olga.page.getByText('Needs a lead.').last()).toBeVisible();
    await expect(olga.page.getByRole('button', { name: /^Run step 3/ })).toBeDisabled();
    await lena.page.context().close();
    await olga.page.context().close();
  } finally {
    restore();
    await portal.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
