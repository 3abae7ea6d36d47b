// The real binary, started for tests: its own data folder, its own port, real processes.
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './ports.ts';
import { keep, kill, processes, said } from './processes.ts';

const root = resolve(import.meta.dirname, '../..');
const binary = process.env['PORTAL_BINARY'] ?? join(root, 'target/release/runbook-portal');

/** One portal with its own data and its own copy of the documents. */
export class Portal {
  private child: ChildProcess | undefined;
  private said = '';

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly config: string | undefined,
    private readonly publicUrl: string | undefined,
    private readonly environment: Record<string, string>,
  ) {}

  /**
   * Starts a portal on a copy of the bundled documents, or of another folder, perhaps with a configuration, perhaps behind a proxy
   * with another address, perhaps with more in its environment.
   */
  static async start(
    runbooks = join(root, 'runbooks'),
    config?: string,
    publicUrl?: string,
    environment: Record<string, string> = {},
  ): Promise<Portal> {
    const folder = await mkdtemp(join(tmpdir(), 'portal-e2e-'));
    await cp(runbooks, join(folder, 'runbooks'), { recursive: true });
    const portal = new Portal(folder, await freePort(), config, publicUrl, environment);
    await portal.spawn();
    return portal;
  }

  /** Where people reach it. */
  get address(): string {
    return this.publicUrl ?? `http://127.0.0.1:${this.port}`;
  }

  /** The program itself, for its other commands. */
  get binary(): string {
    return binary;
  }

  /** The data folder. */
  get data(): string {
    return join(this.folder, 'data');
  }

  /** The folder of documents that this portal reads. */
  get runbooks(): string {
    return join(this.folder, 'runbooks');
  }

  /** The one-time link, as the console prints it. */
  get setUpLink(): string {
    const link = /https?:\/\/\S+\/set-up\?token=\S+/.exec(this.said)?.[0];
    if (!link) throw new Error(`the console shows no set-up link:\n${this.said}`);
    return link;
  }

  /** Everything that the console showed since the last start. */
  get console(): string {
    return this.said;
  }

  /** Starts the binary and waits until it says that it is ready. */
  async spawn(): Promise<void> {
    this.said = '';
    const child = keep(spawn(
      binary,
      [
        ...['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data, '--runbooks', this.runbooks],
        ...(this.config === undefined ? [] : ['--config', this.config]),
        ...(this.publicUrl === undefined ? [] : ['--public-url', this.publicUrl]),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.environment } },
    ));
    this.child = child;
    await new Promise<void>((ready, failed) => {
      const hear = (chunk: Buffer) => {
        this.said += chunk.toString();
        if (this.said.includes(' is ready on ')) ready();
      };
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the portal ended with ${code}:\n${this.said}`)));
    });
  }

  /** Ends the portal by a signal and waits until it is gone. Steps stay with their shims. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((exit) => child.once('exit', exit));
    child.kill(signal);
    await gone;
  }

  /** Ends the portal, and the shims that a test has left running, and removes its folder. */
  async remove(): Promise<void> {
    await this.end('SIGTERM');
    await kill(processes().filter(({ pid }) => said(pid, 'cmdline').includes(`\0${this.data}/`)));
    await rm(this.folder, { recursive: true, force: true });
  }
}
