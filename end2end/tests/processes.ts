// Processes of this machine, as the specs that look after what they have begun see them.
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from '@playwright/test';

/** A process, told from a later one with the same number by its start. */
export type Process = { pid: number; name: string; parent: number; start: string };

/** What `/proc` says of a process; nothing of one that is gone. */
function look(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return fields[0] === 'Z' ? undefined : { pid, name, parent: Number(fields[1]), start: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** All that run. */
export function processes(): Process[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => look(Number(name)));
  return all.filter((process) => process !== undefined);
}

const lives = ({ pid, start }: Process): boolean => look(pid)?.start === start;

/** Kills processes, each if it still is the one that was seen, and waits until they are gone. */
export async function kill(these: Process[]): Promise<void> {
  for (const one of these.filter(lives)) process.kill(one.pid, 'SIGKILL');
  await expect.poll(() => these.filter(lives).map(({ name }) => name), { intervals: [10] }).toEqual([]);
}

/** What `/proc` says of a process in one of its files: words that end with a NUL each; nothing of one that is gone. */
export function said(pid: number, file: 'cmdline' | 'environ'): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/${file}`, 'utf8')}`;
  } catch {
    return '';
  }
}

const children = new Set<ChildProcess>();
process.once('exit', () => children.forEach((child) => child.kill()));

/** Sees to it that a child does not outlive the tests, however they end. */
export function keep(child: ChildProcess): ChildProcess {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}
