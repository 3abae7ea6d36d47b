// What happens at the practice machine and not on a page: what others do there, and what is waited for.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from '@playwright/test';
import { facts, practice, proof } from '../practice.ts';

/** Runs a script there over ssh, as somebody of the team; gives its output. */
export function there(script: string, user = 'deploy'): string {
  return execFileSync('ssh', [...way(user), script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 });
}

function way(user: string): string[] {
  const { ssh } = facts();
  const options = [`UserKnownHostsFile=${ssh.known_hosts}`, 'LogLevel=ERROR', 'BatchMode=yes'].flatMap((option) => ['-o', option]);
  return ['-i', ssh.identity_file, ...options, '-p', `${ssh.port}`, `${user}@${ssh.host}`];
}

/** docker-compose on the project there. */
export function compose(words: string): string {
  return there(`cd ${facts().project} && docker-compose -f docker/compose.prod.yml ${words} 2>&1`);
}

/** What Prometheus there answers to a query: how many results. */
function results(query: string): number {
  const url = `http://localhost:9090/api/v1/query?query=${encodeURIComponent(query)}`;
  const answer = there(`curl -g -fsS --max-time 5 '${url}' || echo '{}'`);
  return (JSON.parse(answer) as { data?: { result: unknown[] } }).data?.result.length ?? -1;
}

/** Waits until Prometheus sees everything up, and nothing critical fires: the machine's own beginning makes some noise. */
export async function calm(): Promise<void> {
  const noise = 'ALERTS{severity="critical"} or (up == 0)';
  await expect.poll(() => results(noise), { timeout: 180_000, intervals: [1_000], message: 'nothing critical fires' }).toBe(0);
  await expect.poll(() => results('up{job="adonisjs"} == 1'), { timeout: 60_000, intervals: [1_000] }).toBeGreaterThan(0);
}

/** Waits until a fact of the machine is as it should be. */
export async function until(what: string[], holds: (lines: string[]) => boolean): Promise<void> {
  const [first = '', ...of] = what;
  const message = `practice proof ${what.join(' ')}`;
  await expect.poll(() => holds(proof(first, ...of)), { timeout: 60_000, intervals: [500], message }).toBe(true);
}

/** Somebody releases version 2 of both services as the pipeline does: published, and fetched by the machine. */
export function released(): void {
  for (const service of ['adonisjs', 'nextjs']) practice('publish', service, 'v2');
  practice('trouble', 'login');
  compose('pull adonisjs nextjs');
  compose('up -d --no-deps adonisjs nextjs');
}

/** The secret values of `.env`, and the registry's token: as they are, and as docker keeps the token. */
export function secrets(): string[] {
  const { environment_file, registry } = facts();
  const lines = readFileSync(environment_file, 'utf8').split('\n');
  const values = lines.filter((line) => /^\w*(KEY|PASSWORD|SECRET|TOKEN)\w*=/.test(line)).map((line) => line.slice(line.indexOf('=') + 1));
  const token = readFileSync(registry.token_file, 'utf8').trim();
  const kept = Buffer.from(`${registry.user}:${token}`).toString('base64');
  expect(values.length, 'there are secrets in .env').toBeGreaterThanOrEqual(4);
  return [...values, token, Buffer.from(token).toString('base64'), kept];
}

/** Asks an address there again and again, five times in a second; what it gives ends that, and gives the number of requests that failed. */
export function asking(url: string): () => Promise<{ asked: number; failed: number }> {
  const script = `while read -t 0.2 -r stop; [ $? -gt 128 ]; do curl -fsS -o /dev/null --max-time 5 ${url} 2>/dev/null && echo ok || echo failed; done`;
  const child = spawn('ssh', [...way('deploy'), `bash -c '${script}'`], { stdio: ['pipe', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((end) => child.once('close', () => end()));
  return async () => {
    child.stdin.end();
    await ended;
    const lines = said.split('\n');
    return { asked: lines.filter((line) => line !== '').length, failed: lines.filter((line) => line === 'failed').length };
  };
}

/** Takes images away that a run has kept under a name of its own. */
export function forgetKept(): void {
  there("docker images --format '{{.Repository}}:{{.Tag}}' 'brainbytes-kept/*' | xargs -r docker image rm --force");
}

/** When an alert began to fire that was not there before a moment, as Prometheus has told Alertmanager: in milliseconds, as `Date.now`. */
export async function firedAt(alert: string, after: number): Promise<number> {
  const matcher = encodeURIComponent(`alertname="${alert}"`);
  const answer = await fetch(`${facts().alertmanager}/api/v2/alerts?filter=${matcher}`);
  const alerts = (await answer.json()) as { startsAt: string }[];
  const began = alerts.map(({ startsAt }) => Date.parse(startsAt)).filter((at) => at >= after);
  expect(began, `${alert} in Alertmanager, once`).toHaveLength(1);
  return began[0] ?? 0;
}

/** Says a figure in words: `make thirteen` shows it at its end, and `make prove` keeps it. */
export function figure(words: string): void {
  console.log(`FIGURES: ${words}`);
}
