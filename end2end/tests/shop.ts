// A small project of its own on another machine, and a portal with three targets: the machine, one that nobody knows, one that is away.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, expect, type Locator } from '@playwright/test';
import { type Operator, populate, someone } from './fixtures.ts';
import { Portal } from './portal.ts';
import { freePort } from './ports.ts';
import { Sshd } from './sshd.ts';

const document = `# The shop

## Look after the shop

### Trigger conditions

- Orders stay open

### Steps

1. **Go to the shop**

   \`\`\`bash
   ssh deploy@shop
   cd /srv/shop
   \`\`\`

2. **Count the orders**

   \`\`\`bash
   for order in $(seq 1 150); do echo "order $order of 150"; sleep 0.1; done
   \`\`\`

3. **Say what was chosen**

   \`\`\`bash
   echo "service SERVICE_NAME" "container CONTAINER_NAME" "image IMAGE_NAME"
   echo "backup BACKUP_FILE" "revision GIT_REVISION"
   \`\`\`
`;

const compose = `version: "3.8"
services:
  api:
    image: shop/api:current
  web:
    image: shop/web:current
`;

const sideFile = (folder: string) => `
targets = ["shop", "stranger", "away"]
directory = ${JSON.stringify(join(folder, 'shop'))}
literal = ["deploy@shop"]

[parameter.project]
placeholder = "/srv/shop"
type = "path"
default = ${JSON.stringify(join(folder, 'shop'))}

[parameter.service]
placeholder = "SERVICE_NAME"
type = "compose-service"
file = "compose.yml"

[parameter.container]
placeholder = "CONTAINER_NAME"
type = "container"

[parameter.image]
placeholder = "IMAGE_NAME"
type = "image"
example = "shop/api:1.4"

[parameter.backup]
placeholder = "BACKUP_FILE"
type = "backup-file"
root = ${JSON.stringify(join(folder, 'backups'))}
pattern = "*.dump"
help = "The newest one from before the damage."

[parameter.revision]
placeholder = "GIT_REVISION"
type = "git-revision"
`;

/** How many lines the slow step prints. */
export const orders = 150;

export class Shop {
  private constructor(
    readonly folder: string,
    readonly sshd: Sshd,
    readonly portal: Portal,
  ) {}

  /** The procedure's address. */
  readonly slug = 'look-after-the-shop';

  static async open(browser: Browser): Promise<Shop> {
    const folder = await mkdtemp(join(tmpdir(), 'portal-shop-'));
    const at = (name: string) => join(folder, name);
    for (const name of ['shop', 'backups', 'runbooks']) await mkdir(at(name));
    await writeFile(at('shop/compose.yml'), compose);
    for (const words of [['init', '--quiet', '--initial-branch=main'], ['add', '.'], ['commit', '--quiet', '--message', 'Open the shop']])
      execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...words], { cwd: at('shop') });
    const hours = (many: number) => new Date(Date.now() - many * 3_600_000);
    for (const [name, bytes, age] of [['monday.dump', 1_288_490, 31], ['tuesday.dump', 2048, 7], ['notes.txt', 5, 1]] as const) {
      await writeFile(join(at('backups'), name), Buffer.alloc(bytes));
      await utimes(join(at('backups'), name), hours(age), hours(age));
    }
    await writeFile(at('runbooks/shop.md'), document);
    await writeFile(at('runbooks/shop.portal.toml'), sideFile(folder));
    const sshd = await Sshd.start();
    const path = '/usr/sbin:/usr/bin:/sbin:/bin';
    await writeFile(at('portal.toml'), [
      sshd.target('shop', { about: 'the shop in the old town', production: true, path }),
      sshd.target('stranger', { about: 'a machine whose key nobody has compared', path }, 'stranger'),
      sshd.target('away', { about: 'a machine that is switched off', path, port: await freePort() }),
    ].join('\n'));
    const portal = await Portal.start(at('runbooks'), at('portal.toml'));
    await populate(browser, portal);
    return new Shop(folder, sshd, portal);
  }

  /** Where backups lie. */
  backup(name: string): string {
    return join(this.folder, 'backups', name);
  }

  /** Signs Olga in. */
  async olga(browser: Browser, scripts: boolean): Promise<Operator> {
    const olga = await someone(browser, this.portal, 'olga', scripts);
    olga.patience = 90_000;
    return olga;
  }

  async close(): Promise<void> {
    await this.portal.remove();
    await this.sshd.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Lets the portal look at a target: by choosing it, or without scripts by the link that stands there for each. */
export async function lookAt(olga: Operator, shop: Shop, target: string, scripts: boolean): Promise<Locator> {
  await olga.go(`/procedures/${shop.slug}`);
  if (scripts) await olga.page.getByLabel('Target').selectOption(target);
  else await olga.page.getByRole('link', { name: `Look at ${target}, ` }).click();
  const panel = olga.page.getByRole('region', { name: 'Before the first step' });
  await expect(panel).toContainText(`Looked at ${target}, `, { timeout: 30_000 });
  return panel;
}
