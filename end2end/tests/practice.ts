// The practice machine, as the specs of the thirteen procedures see it: where it is, what can be done to it, what can be told of it.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { stack } from './stack.ts';

/** What is written about the machine for whoever signs in there. */
export interface Facts {
  ssh: { host: string; port: number; user: string; identity_file: string; known_hosts: string };
  tests: { user: string; directory: string };
  /** What a portal has to find in `DOCKER_HOST` to reach the machine's engine, and with it the target `network`. */
  docker_host: string;
  project: string;
  backups: string;
  domain: string;
  registry: { user: string; token_file: string };
  /** Its values are those of `.env`; none of them may be found in what a portal keeps. */
  environment_file: string;
  authority: string;
  alertmanager: string;
}

/** Runs `end2end/stack/practice`, which says itself what it knows. */
export function practice(...words: string[]): string {
  return execFileSync(join(stack, 'practice'), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

let known: Facts | undefined;

/** They stay as they are while the machine runs: they are asked for once. */
export function facts(): Facts {
  return (known ??= JSON.parse(practice('facts')) as Facts);
}

/** One fact, in lines: to be compared before and after. */
export function proof(what: string, ...of: string[]): string[] {
  return practice('proof', what, ...of).split('\n').filter((line) => line !== '');
}

/** The side file of the user's own document, which names the targets of `practice targets`. */
export const usersSideFile = join(import.meta.dirname, 'users-file.portal.toml');
