// The practice stack, as the specs that need it see it.
import { execFileSync } from 'node:child_process';
import { expect } from '@playwright/test';

/** The folder of the practice stack; the test command sets it. */
export const stack = process.env['PORTAL_STACK'] ?? '';

/** Fails a spec that was started without the practice stack. */
export function needStack(): void {
  expect(stack, 'PORTAL_STACK names the folder of the practice stack; make e2e sets it').not.toBe('');
}

/** The services that run, by name. */
export function running(): string[] {
  const names = execFileSync('docker-compose', ['-f', 'docker/compose.prod.yml', 'ps', '--services', '--filter', 'status=running'], { cwd: stack });
  return names.toString().split('\n').filter((name) => name !== '').sort();
}

/** When the backend's container was started. */
export function startTime(): string {
  const id = execFileSync('docker-compose', ['-f', 'docker/compose.prod.yml', 'ps', '-q', 'adonisjs'], { cwd: stack });
  return execFileSync('docker', ['inspect', '--format', '{{.State.StartedAt}}', id.toString().trim()]).toString().trim();
}
