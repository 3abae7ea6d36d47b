// A procedure that is limited to a group: who is in it sees it, and for anybody else it is not there.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type Operator, populate, someone, test as base } from './fixtures.ts';
import { look } from './look.ts';
import { Portal } from './portal.ts';

const document = `# Vault

## Open the vault

### Trigger conditions

- The vault stays dark

### Steps

1. **Turn the key**

   \`\`\`bash
   echo "gold-$((6 * 7))"
   \`\`\`

2. **Wait for the others**

   \`\`\`bash
   read -r go
   \`\`\`
`;

// People are put into groups here: every test has a portal of its own.
const test = base.extend<{ own: Portal; ada: Operator; otto: Operator }>({
  own: async ({ browser }, use) => {
    const portal = await Portal.start();
    await writeFile(join(portal.runbooks, 'vault.portal.toml'), 'visible_to = ["keepers"]\n');
    await writeFile(join(portal.runbooks, 'vault.md'), document);
    await populate(browser, portal);
    await use(portal);
    await portal.remove();
  },
  ada: async ({ browser, own, scripts }, use) => {
    const ada = await someone(browser, own, 'ada', scripts);
    await use(ada);
    await ada.page.context().close();
  },
  otto: async ({ browser, own, scripts }, use) => {
    const otto = await someone(browser, own, 'otto', scripts);
    await use(otto);
    await otto.page.context().close();
  },
});

/** Puts Otto into groups, on the page of people. */
async function put(ada: Operator, groups: string): Promise<void> {
  await ada.go('/people');
  const row = ada.page.getByRole('row').filter({ has: ada.page.getByRole('rowheader', { name: 'Otto Brandt' }) });
  const fold = row.locator('details').filter({ has: ada.page.locator('summary[data-label="Groups"]') });
  await fold.locator('summary').click();
  await fold.locator('input[name="groups"]').fill(groups);
  await fold.getByRole('button', { name: 'Set groups of Otto Brandt' }).click();
  await expect(fold.locator('summary')).toHaveText(groups === '' ? 'none' : groups);
}

const gone = 'There is no such page';

test('an administrator puts somebody into a group, who sees the procedure then, and takes them out again', async ({
  ada,
  otto,
  scripts,
}) => {
  // Two people go through every page, three times, and some are looked at.
  test.setTimeout(400_000);
  const { page } = otto;
  await otto.go('/procedures/open-the-vault');
  await expect(page.getByText(gone).first()).toBeVisible();
  await otto.go('/');
  await expect(page.getByText('Open the vault')).toHaveCount(0);
  await otto.go('/account');
  await expect(page.getByText('You are in no group')).toBeVisible();

  await put(ada, 'keepers');
  if (scripts) await look(ada.page, 'people-groups');

  await otto.go('/account');
  await expect(page.getByText('You are in these groups: keepers.')).toBeVisible();
  await otto.go('/procedures/open-the-vault');
  await expect(page.getByRole('heading', { name: 'Open the vault' })).toBeVisible();
  await expect(page.getByText('limited to keepers and administrators')).toBeVisible();
  if (scripts) await look(page, 'procedure-limited');
  const run = await otto.start('open-the-vault', {}, 'the lamp is out');
  await otto.open(run, 1);
  await otto.press(/^Run step 1/);
  await otto.step('Turn the key', 'ok');
  if (scripts) await look(page, 'run-limited');
  await otto.open(run, 2);
  await otto.press(/^Run step 2/);
  await otto.step('Wait for the others', 'running');

  await put(ada, '');

  if (scripts) await expect(page.getByText('No news comes any more').first()).toBeVisible();
  for (const path of ['/procedures/open-the-vault', `/runs/${run}`]) {
    await otto.go(path);
    await expect(page.getByText(gone).first()).toBeVisible();
  }
  for (const path of ['/', '/history', '/documents']) {
    await otto.go(path);
    await expect(page.getByRole('heading').first()).toBeVisible();
    await expect(page.getByText(/Open the vault|the lamp is out/)).toHaveCount(0);
  }
  await ada.go(`/runs/${run}`);
  await expect(ada.page.getByRole('heading', { name: 'Open the vault' }).first()).toBeVisible();
});

test('the names of groups that are known are offered where people are put into them', async ({ ada }) => {
  const { page } = ada;
  await ada.go('/people');

  const form = page.getByRole('complementary', { name: 'New account' });
  await expect(form.getByText('Known: keepers.')).toBeVisible();
  await expect(page.locator('datalist#known-groups option')).toHaveAttribute('value', 'keepers');
  await form.getByLabel('Sign-in name').fill('nina');
  await form.getByLabel('Name', { exact: true }).fill('Nina Roth');
  await form.getByLabel('First password').fill('grandfather clock pelican');
  await form.getByLabel('Groups').fill('Keepers, night-shift');
  await form.getByRole('button', { name: 'Create account' }).click();

  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'Nina Roth' }) });
  await expect(row.locator('summary[data-label="Groups"]')).toHaveText('keepers, night-shift');
  await expect(form.getByText('Known: keepers, night-shift.')).toBeVisible();
});
