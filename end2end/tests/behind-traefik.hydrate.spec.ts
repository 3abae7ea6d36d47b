// docs/deploy/compose.yaml as it is committed: the portal's own image, and the labels by which a real Traefik finds it at a real engine.
// No registry of images is in reach of the tests: Traefik runs as a program beside the engine, with the arguments that the file has for it.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { expect, populate, slow, someone, test } from './fixtures.ts';
import { Traefik } from './traefik.ts';

const compose = resolve(import.meta.dirname, '../../docs/deploy/compose.yaml');

test.use({ ignoreHTTPSErrors: true });
test.setTimeout(300_000);

/** The portal of that file in a project of its own, with the image that `end2end/stack/build-image` has built. */
class Project {
  private constructor(
    readonly folder: string,
    private readonly address: string,
  ) {}

  static async up(address: string): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'portal-compose-')), address);
    await mkdir(join(project.folder, 'runbooks'));
    for (const name of ['first-tour.md', 'first-tour.portal.toml'])
      await copyFile(resolve(import.meta.dirname, '../../runbooks', name), join(project.folder, 'runbooks', name));
    await writeFile(join(project.folder, 'portal.toml'), '[target.local]\nkind = "local"\n');
    // What a machine has of its own: where the image comes from, and the address with the port of the test.
    const own = { services: { portal: { image: 'practice/runbook-portal:current', environment: { PORTAL_PUBLIC_URL: address } } } };
    await writeFile(join(project.folder, 'own.json'), JSON.stringify(own));
    project.compose('up', '--detach', 'portal');
    return project;
  }

  compose(...words: string[]): string {
    const files = ['--project-directory', this.folder, '--project-name', basename(this.folder).toLowerCase(), '--file', compose, '--file', join(this.folder, 'own.json')];
    const env = { ...process.env, PORTAL_HOST: new URL(this.address).hostname };
    return execFileSync('docker-compose', [...files, ...words], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  log(): string {
    return this.compose('logs', '--no-color', 'portal');
  }

  async setUpLink(): Promise<string> {
    const link = () => /https:\/\/\S+\/set-up\?token=\S+/.exec(this.log())?.[0];
    await expect.poll(link, { timeout: 30_000 }).toBeDefined();
    return link() ?? '';
  }

  async remove(): Promise<void> {
    this.compose('down', '--volumes');
    await rm(this.folder, { recursive: true, force: true });
  }
}

test('the labels of the Compose file are what Traefik needs: sign-in, live output, and the address of who asks', async ({ browser }) => {
  const traefik = await Traefik.make(await readFile(compose, 'utf8'));
  const project = await Project.up(traefik.address);
  try {
    await traefik.start();
    await expect.poll(() => traefik.answers('/readyz'), { timeout: 120_000 }).toBe(200);
    const reached = { address: traefik.address, setUpLink: await project.setUpLink() };
    await populate(browser, reached);
    const operator = await someone(browser, reached, 'olga', true);
    const run = await operator.start('first-tour', { Visitor: 'Olga' });
    await operator.open(run, 4);

    await operator.press('Run step 4: Watch lines arrive');

    await expect.poll(async () => slow(await operator.log()).length).toBeGreaterThan(0);
    expect(slow(await operator.log()).length).toBeLessThan(20);
    await operator.step('Watch lines arrive', 'ok');
    // Traefik's own address is listed: the log has that of the browser, as Traefik saw it.
    expect(project.log()).toMatch(/client\.address=127\.0\.0\.1/);
    await operator.page.context().close();
  } finally {
    await traefik.remove();
    await project.remove();
  }
});
