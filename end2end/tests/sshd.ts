// A real OpenSSH server of a test's own: its keys, its port, its log and its home directory lie in a folder that goes away with it.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { freePort } from './ports.ts';
import { keep, kill, type Process, processes, said } from './processes.ts';

/** Where administrators have their programs. */
const program = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path)) ?? '';

/** The server's own processes below its listener: the sessions, and not what runs in them. */
function sessions(listener: number): Process[] {
  const all = processes();
  const below = (parents: number[]): Process[] => {
    const children = all.filter(({ parent, name }) => parents.includes(parent) && name.startsWith('sshd'));
    return children.length === 0 ? [] : [...children, ...below(children.map(({ pid }) => pid))];
  };
  return below([listener]);
}

/** Whether a server says there that it is one for ssh. */
async function answers(port: number): Promise<boolean> {
  return await new Promise((answer) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', (said) => answer(said.toString().startsWith('SSH-')));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
    socket.once('data', () => socket.destroy());
  });
}

/** A server that lets in the user who runs the tests, with one key. */
export class Sshd {
  private listener: ChildProcess | undefined;
  /** Sessions that have outlived a listener. */
  private left: Process[] = [];

  private constructor(
    readonly folder: string,
    readonly port: number,
  ) {}

  /** Starts one. `make setup` installs what it takes. */
  static async start(): Promise<Sshd> {
    expect(program, 'an OpenSSH server is installed (Debian: openssh-server)').not.toBe('');
    // Run by root, the server wants an empty folder there, which the unit of the service makes where there is one.
    if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true });
    const sshd = new Sshd(await mkdtemp(join(tmpdir(), 'portal-sshd-')), await freePort());
    await mkdir(sshd.home);
    for (const key of ['host', 'client'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', sshd.path(key)]);
    await copyFile(sshd.path('client.pub'), sshd.path('authorized_keys'));
    await writeFile(sshd.path('known_hosts'), `[127.0.0.1]:${sshd.port} ${await readFile(sshd.path('host.pub'), 'utf8')}`);
    await writeFile(sshd.path('strangers'), '');
    await sshd.configure();
    await sshd.startAgain();
    return sshd;
  }

  /** The home directory of who is let in. */
  get home(): string {
    return this.path('home');
  }

  /** As people see it: `deploy@127.0.0.1:22022`. */
  get place(): string {
    return `${userInfo().username}@127.0.0.1:${this.port}`;
  }

  /** The section of portal.toml by which a portal reaches it, with more lines; its key is known unless it is said to be a stranger. */
  target(name: string, more: Record<string, string | boolean | number> = {}, known: 'known' | 'stranger' = 'known'): string {
    const keys = {
      kind: 'ssh',
      host: '127.0.0.1',
      user: userInfo().username,
      port: this.port,
      identity_file: this.path('client'),
      known_hosts: this.path(known === 'known' ? 'known_hosts' : 'strangers'),
      home: this.home,
      ...more,
    };
    // A TOML string and a JSON string are written alike.
    const lines = Object.entries(keys).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    return `[target.${name}]\n${lines.join('\n')}\n`;
  }

  /** What it has logged. */
  async log(): Promise<string> {
    return await readFile(this.path('log'), 'utf8');
  }

  /** Ends the listener, as a restart of the service does: sessions live on, nobody new is let in. */
  async stop(): Promise<void> {
    const listener = this.listener;
    this.listener = undefined;
    if (listener?.pid === undefined) return;
    this.left.push(...sessions(listener.pid));
    const gone = new Promise((exit) => listener.once('exit', exit));
    listener.kill('SIGTERM');
    await gone;
  }

  /** Ends the listener and every session, as a cut cable would. What runs in a session only loses its streams. */
  async cut(): Promise<void> {
    await this.stop();
    await kill(this.left.splice(0));
  }

  /** Starts it again at the same port, and waits until it says its name there. */
  async startAgain(): Promise<void> {
    const listener = keep(spawn(program, ['-D', '-f', this.path('config'), '-E', this.path('log')], { stdio: 'ignore' }));
    this.listener = listener;
    await expect
      .poll(async () => (listener.exitCode === null ? await answers(this.port) : await this.log()), { intervals: [10] })
      .toBe(true);
  }

  /** The processes that run in its sessions, or outlive them; those with a name, or all. */
  began(name?: string): Process[] {
    const mine = `\0HOME=${this.home}\0`;
    const named = processes().filter((process) => name === undefined || process.name === name);
    return named.filter(({ pid }) => said(pid, 'environ').includes(mine));
  }

  /** Ends it with everything that was begun through it, and removes its folder. */
  async remove(): Promise<void> {
    await this.cut();
    await kill(this.began());
    await rm(this.folder, { recursive: true, force: true });
  }

  private path(name: string): string {
    return join(this.folder, name);
  }

  private async configure(): Promise<void> {
    const text = [
      `ListenAddress 127.0.0.1:${this.port}`,
      `HostKey ${this.path('host')}`,
      `AuthorizedKeysFile ${this.path('authorized_keys')}`,
      `SetEnv HOME=${this.home}`,
      'PidFile none',
      // The folder of a test may lie below one that everybody can write.
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      'MaxSessions 100',
      'UseDNS no',
      'LogLevel VERBOSE',
    ];
    // Newer servers shut out an address from which connections are broken off, as tests do all the time; older ones know no such word.
    const penalties = 'PerSourcePenalties no';
    await writeFile(this.path('config'), `${text.join('\n')}\n`);
    const { status } = spawnSync(program, ['-t', '-o', penalties, '-f', this.path('config')]);
    if (status === 0) await appendFile(this.path('config'), `${penalties}\n`);
  }
}
