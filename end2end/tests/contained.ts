// The portal's own image in a container, as docs/operating.md describes it: the data in a volume, configuration and documents from outside.
import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from '@playwright/test';
import { freePort } from './ports.ts';

/** What `end2end/stack/build-image` has built. */
const image = 'practice/runbook-portal:current';
const socket = '/var/run/docker.sock';

function docker(...words: string[]): string {
  return execFileSync('docker', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** A portal in a container, and what stands beside it. */
export class Contained {
  /** Containers and volumes of this portal bear this name, or begin with it. */
  private readonly name: string;
  private hands = false;

  private constructor(
    readonly folder: string,
    private readonly port: number,
  ) {
    this.name = basename(folder);
  }

  /** A folder for what comes from outside: `portal.toml`, `runbooks`, `keys`, and `work`, where the steps are. Nothing is started yet. */
  static async make(): Promise<Contained> {
    expect(spawnSync('docker', ['image', 'inspect', image]).status, `there is ${image}: make e2e builds it`).toBe(0);
    const contained = new Contained(await mkdtemp(join(tmpdir(), 'portal-contained-')), await freePort());
    for (const name of ['runbooks', 'keys', 'work']) await mkdir(contained.at(name));
    return contained;
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The one-time link, as the container's log has it. */
  get setUpLink(): string {
    const link = /http:\/\/\S+\/set-up\?token=\S+/.exec(this.log())?.[0];
    if (!link) throw new Error(`the log shows no set-up link:\n${this.log()}`);
    return link;
  }

  /** The words that start the portal's container again. */
  get again(): string[] {
    return ['docker', 'restart', this.name];
  }

  /** The words that make the portal's container; a new one goes on with the volume of the one before. */
  get made(): string[] {
    const mounts = [
      ...[`${this.name}:/data`, `${this.at('portal.toml')}:/etc/runbook-portal/portal.toml:ro`, `${this.at('runbooks')}:/runbooks:ro`],
      ...[`${this.at('keys')}:/keys:ro`, `${socket}:${socket}`],
    ];
    return [
      ...['docker', 'run', '--detach', '--name', this.name, '--network', 'host', '--restart', 'unless-stopped'],
      ...['--env', 'PORTAL_CONFIG=/etc/runbook-portal/portal.toml', '--env', `PORTAL_LISTEN=127.0.0.1:${this.port}`],
      ...['--no-healthcheck', '--group-add', `${statSync(socket).gid}`],
      ...mounts.flatMap((mount) => ['--volume', mount]),
      image,
    ];
  }

  /** The words that remove the portal's container, and not its data. */
  get removed(): string[] {
    return ['docker', 'rm', '--force', this.name];
  }

  /** Starts the portal, and waits until it answers. */
  async start(): Promise<void> {
    docker(...this.made.slice(1));
    await expect.poll(async () => (await this.isThere()) || this.log(), { intervals: [50], timeout: 30_000 }).toBe(true);
  }

  /** Starts the second container, which has the engine's socket and the folder of the steps, and does nothing. */
  lendHands(label: string): void {
    this.hands = true;
    const mounts = [`${socket}:${socket}`, `${this.at('work')}:${this.at('work')}`].flatMap((mount) => ['--volume', mount]);
    const options = ['--detach', '--name', `${this.name}-hands`, '--label', label, '--user', 'root', '--no-healthcheck'];
    docker('run', ...options, ...mounts, '--entrypoint', 'sleep', image, 'infinity');
  }

  /** Tells one life of the portal's container from the next one: which container it is, and its start; nothing while none runs. */
  life(): string {
    const { stdout } = spawnSync('docker', ['inspect', '--format', '{{.Id}} {{.State.StartedAt}} {{.State.Running}}', this.name]);
    const said = stdout.toString().trim();
    return said.endsWith(' true') ? said : '';
  }

  /** Whether the portal answers. */
  async isThere(): Promise<boolean> {
    return await fetch(`${this.address}/healthz`).then(({ ok }) => ok, () => false);
  }

  /** Ends everything of it, and removes its data and its folder. */
  async remove(): Promise<void> {
    const names = [this.name, ...(this.hands ? [`${this.name}-hands`] : [])];
    spawnSync('docker', ['rm', '--force', '--volumes', ...names]);
    spawnSync('docker', ['volume', 'rm', this.name]);
    await rm(this.folder, { recursive: true, force: true });
  }

  private log(): string {
    const { stdout, stderr } = spawnSync('docker', ['logs', this.name], { encoding: 'utf8' });
    return `${stdout}${stderr}`;
  }
}
