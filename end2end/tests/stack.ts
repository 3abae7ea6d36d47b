// The practice stack, as the specs that need it see it.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, test as base } from './fixtures.ts';

/** The folder of the practice stack; the test command sets it. */
export const stack = process.env['PORTAL_STACK'] ?? '';

/**
 * Tries once to have something alone that all tests of this machine know by its name; gives the way to let it go. The name is gone with the
 * process that has it, however that ends.
 */
export async function take(name = 'portal-practice-stack'): Promise<(() => Promise<void>) | undefined> {
  const server = createServer();
  return await new Promise((answer) => {
    server.once('error', () => answer(undefined));
    server.listen(`\0${name}`, () => answer(() => new Promise((closed) => server.close(() => closed()))));
  });
}

/** A test that works with the services of the practice stack, which no other one stops meanwhile. */
export const test = base.extend<{ alone: void }>({
  alone: [
    async ({}, use) => {
      expect(stack, 'PORTAL_STACK names the folder of the practice stack; make e2e sets it').not.toBe('');
      let leave = await take();
      await expect.poll(async () => (leave ??= await take()) !== undefined, { timeout: 600_000, intervals: [100] }).toBe(true);
      await use();
      await leave?.();
    },
    { auto: true, timeout: 660_000 },
  ],
});

function compose(...words: string[]): string {
  return execFileSync('docker-compose', ['-f', 'docker/compose.prod.yml', ...words], { cwd: stack }).toString().trim();
}

/** The services that run, by name. */
export function running(): string[] {
  return compose('ps', '--services', '--filter', 'status=running').split('\n').filter((name) => name !== '').sort();
}

/** The containers of the backend. */
export function backends(): string[] {
  return compose('ps', '-q', 'adonisjs').split('\n').filter((id) => id !== '');
}

/** When the backend's container was started. */
export function startTime(): string {
  return execFileSync('docker', ['inspect', '--format', '{{.State.StartedAt}}', ...backends()]).toString().trim();
}

/** Brings the services back, one of each and no others, whatever a test has left. */
export function restore(): void {
  execFileSync('docker-compose', ['-f', 'docker/compose.prod.yml', 'up', '-d', '--remove-orphans', '--scale', 'adonisjs=1'], { cwd: stack, stdio: 'ignore' });
}
