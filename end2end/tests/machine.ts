// Another machine with the practice project on it, reached over real ssh, and a portal that works there.
import { execFileSync } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, expect } from '@playwright/test';
import { type Operator, populate, someone } from './fixtures.ts';
import { Portal } from './portal.ts';
import { Sshd } from './sshd.ts';
import { restore, stack } from './stack.ts';

/** Everything of one test: the machine, its project, the portal, and who works there. The target is called `production`, and is one. */
export class Machine {
  private constructor(
    readonly folder: string,
    readonly sshd: Sshd,
    readonly portal: Portal,
    readonly olga: Operator,
  ) {}

  /** The project's folder. Its name is that of the Compose project, so that a compose file in it is of the same project. */
  get project(): string {
    return join(this.folder, 'docker');
  }

  get backups(): string {
    return join(this.folder, 'backups');
  }

  /** The database, as the stand-in for MongoDB has it. */
  get database(): string {
    return join(this.folder, 'database');
  }

  /** Makes one, with documents that somebody puts into a folder for it. */
  static async make(browser: Browser, scripts: boolean, documents: (runbooks: string, folder: string) => Promise<void>): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), 'portal-machine-'));
    const at = (name: string) => join(folder, name);
    for (const name of ['backups', 'database', 'runbooks']) await mkdir(at(name));
    await cp(join(stack, 'docker'), at('docker/docker'), { recursive: true });
    await cp(join(stack, 'bin'), at('bin'), { recursive: true });
    await writeFile(at('bin/database'), `${at('database')}\n`);
    await documents(at('runbooks'), folder);
    const sshd = await Sshd.start();
    const target = { about: 'the practice stack', production: true, path: `${at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin` };
    await writeFile(at('portal.toml'), sshd.target('production', target));
    const portal = await Portal.start(at('runbooks'), at('portal.toml'));
    await populate(browser, portal);
    const olga = await someone(browser, portal, 'olga', scripts);
    // docker-compose is slow to start, and the way to another machine takes its time as well.
    olga.patience = 180_000;
    return new Machine(folder, sshd, portal, olga);
  }

  /** Adds a database in a container to the project, and starts it there. */
  async withDatabase(): Promise<void> {
    await appendFile(join(this.project, 'docker/compose.prod.yml'), `
  mongo:
    image: practice/adonisjs:current
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"]
    environment:
      PATH: /tools:/bin
    volumes:
      - ${join(this.folder, 'bin')}:/tools:ro
      - ${this.database}:${this.database}
`);
    execFileSync('docker-compose', ['-f', 'docker/compose.prod.yml', 'up', '-d', '--no-recreate', 'mongo'], { cwd: this.project, stdio: 'ignore' });
  }

  /** Two collections, of which one is damaged; gives a backup from before that. */
  async damage(backup: string): Promise<string> {
    const file = join(this.backups, backup);
    await writeFile(join(this.database, 'sessions.json'), good);
    await writeFile(join(this.database, 'users.json'), '{"user":1}\n');
    execFileSync('tar', ['-czf', file, '-C', this.database, 'sessions.json']);
    await writeFile(join(this.database, 'sessions.json'), '{"corrupt":true}\n');
    return file;
  }

  /** Puts the practice stack back to what it was, and leaves nothing of this. */
  async leave(): Promise<void> {
    restore();
    await this.olga.page.context().close();
    await this.portal.remove();
    await this.sshd.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What the damaged collection was. */
export const good = '{"good":1}\n{"good":2}\n';

/** Presses what disrupts, after typing the name of the target, which a run is asked for once. */
export async function disrupt(operator: Operator, button: RegExp): Promise<void> {
  await operator.page.getByLabel('Type production to go on').first().fill('production');
  await operator.press(button);
}

/** Ends the watch that a command of the step is, once it is that command which runs. */
export async function endWatch(operator: Operator, command: number): Promise<void> {
  const which = operator.page.locator('#next-deed input[name="command"]');
  await operator.until(async () => await expect(which).toHaveValue(`${command}`, { timeout: operator.glance }));
  await operator.press('Stop watch and go on');
}
