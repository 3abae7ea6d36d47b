import { execFileSync } from 'node:child_process';
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, populate, someone, test } from './fixtures.ts';
import { Portal } from './portal.ts';

test('pictures of approvals', async ({ browser, scripts }) => {
  test.setTimeout(200_000);
  const folder = await mkdtemp(join(tmpdir(), 'looks-'));
  const runbooks = join(folder, 'runbooks');
  await mkdir(runbooks); await mkdir(join(folder, 'backups'));
  for (const [name, size] of [['a.dump', 1000], ['b.dump', 1100], ['latest.dump', 1050]] as const)
    await writeFile(join(folder, 'backups', name), 'x'.repeat(size));
  await writeFile(join(runbooks, 'restore.md'), `# Restore from Backup

## Restore from Backup

Restore the database from a backup.

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
   # Restore from latest backup
   mongorestore --drop --gzip --archive=/path/to/backup/latest.dump
   \`\`\`

4. **Restart services**

   \`\`\`bash
   docker-compose -f docker/compose.prod.yml up -d
   \`\`\`

### Rollback

\`\`\`bash
rm -rf /srv/half-restored
\`\`\`

### Expected outcome

- Data is there
`);
  await writeFile(join(runbooks, 'restore.portal.toml'), `
[procedure."Restore from Backup".parameter.backups]
placeholder = "/path/to/backups/"
type = "path"

[procedure."Restore from Backup".parameter.backup]
placeholder = "/path/to/backup/latest.dump"
type = "backup-file"
root = "/"
pattern = "*.dump"
`);
  const portal = await Portal.start(runbooks);
  await populate(browser, portal);
  const olga = await someone(browser, portal, 'olga', scripts);
  const lena = await someone(browser, portal, 'lena', scripts);
  const shoot = async (who: typeof olga, name: string, path: string) => {
    for (const theme of ['light', 'dark'] as const)
      for (const width of [390, 1280, 1920]) {
        await who.page.emulateMedia({ colorScheme: theme });
        await who.page.setViewportSize({ width, height: 900 });
        await who.go(path);
        await who.page.waitForTimeout(150);
        await who.page.screenshot({ path: `/tmp/shots/${name}-${theme}-${width}.png`, fullPage: true });
        expect(await who.page.evaluate(() => document.documentElement.scrollWidth), `${name} ${width}`).toBeLessThanOrEqual(width);
      }
  };
  const values = { Backups: join(folder, 'backups'), Backup: join(folder, 'backups/latest.dump') };
  const one = await olga.start('restore-from-backup', values, 'OPS-430');
  await shoot(olga, 'run-ask', `/runs/${one}`);
  await olga.page.getByLabel('Why, for the lead who decides').fill('sessions collection corrupted by migration 0042 in v2.15.0; logins fail since 02:58.');
  await olga.press('Ask for approval');
  await expect(olga.page.getByText('“Restore database” waits for a lead.')).toBeVisible();
  await shoot(olga, 'run-waiting', `/runs/${one}?step=2`);
  await shoot(lena, 'inbox', '/approvals');
  await shoot(lena, 'decision', `/approvals/${one}-1`);
  await lena.go(`/approvals/${one}-1`);
  await lena.page.getByRole('textbox', { name: /^Reason/ }).fill('Not before the dump of today is safe.');
  await lena.press(/^Reject request/);
  await expect(lena.page.getByText(/Lena Fischer said no/).first()).toBeVisible();
  await shoot(lena, 'rejected', `/approvals/${one}-1`);
  await shoot(olga, 'run-rejected', `/runs/${one}`);
  const two = await olga.start('restore-from-backup', values, 'OPS-431');
  await olga.page.getByLabel('Why, for the lead who decides').fill('again');
  await olga.press('Ask for approval');
  await expect(olga.page.getByText('“Restore database” waits for a lead.')).toBeVisible();
  await shoot(lena, 'decision-2', `/approvals/${two}-1`);
  await shoot(lena, 'inbox-2', '/approvals');
  await shoot(lena, 'run-lead', `/runs/${two}`);
  await portal.remove();
});
