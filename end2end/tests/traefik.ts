// A real Traefik beside a real Docker engine, with the arguments that a Compose file has for its container.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { answers } from './https.ts';
import { freePort } from './ports.ts';
import { keep } from './processes.ts';
import { program } from './proxy.ts';

export class Traefik {
  private child: ChildProcess | undefined;
  private said = '';

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly words: string[],
  ) {}

  /** Takes the arguments out of a Compose file, with ports of its own, and without an authority for certificates, which is not in reach. */
  static async make(compose: string): Promise<Traefik> {
    const [folder, port, plain] = [await mkdtemp(join(tmpdir(), 'portal-traefik-')), await freePort(), await freePort()];
    const words = [...compose.matchAll(/^ +- (--\S+)$/gm)].map(([, word]) => word ?? '');
    expect(words.length, 'the file has arguments for Traefik').toBeGreaterThan(4);
    const own = words
      .filter((word) => !word.startsWith('--certificatesresolvers.'))
      .map((word) => word.replace('address=:443', `address=127.0.0.1:${port}`).replace('address=:80', `address=127.0.0.1:${plain}`));
    return new Traefik(folder, port, own);
  }

  get address(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const child = keep(spawn(program('traefik'), [...this.words, '--log.level=INFO'], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] }));
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
  }

  /** The status by which a path is answered; with what Traefik has said as long as nobody answers. */
  async answers(path: string): Promise<number | string> {
    if (this.child?.exitCode !== null) return this.said;
    const answered = await answers(`${this.address}${path}`);
    return typeof answered === 'number' ? answered : `${answered}; ${this.said}`;
  }

  async remove(): Promise<void> {
    const child = this.child;
    if (child && child.exitCode === null) {
      const gone = new Promise((exit) => child.once('exit', exit));
      child.kill('SIGTERM');
      await gone;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
