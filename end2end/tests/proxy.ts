// Real proxies before a portal, as people run them: with TLS, with compression, with buffering; each in a folder that goes away with it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from '@playwright/test';
import { answers } from './https.ts';
import { freePort } from './ports.ts';
import { keep } from './processes.ts';

const root = resolve(import.meta.dirname, '../..');
const deploy = (name: string) => readFileSync(join(root, 'docs/deploy', name), 'utf8');

/** Which proxy, by its name in this file. */
export type Kind = 'nginx' | 'haproxy' | 'traefik';
export const kinds: Kind[] = ['nginx', 'haproxy', 'traefik'];

/** Where a program is, wherever administrators have it. */
export function program(name: string): string {
  const places = [join(root, '.tools/bin'), '/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'];
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
  expect(found, `${name} is installed: make setup-test does it`).toBeDefined();
  return found ?? '';
}

/** A line of a committed file in another wording; the file has to have it. */
function instead(text: string, what: string, other: string): string {
  expect(text, `the file in docs/deploy has the line: ${what}`).toContain(what);
  return text.replaceAll(what, other);
}

async function listens(port: number): Promise<boolean> {
  return await new Promise((answer) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      answer(true);
    });
    socket.once('error', () => answer(false));
  });
}

/** A proxy with a certificate of its own; it is started when it is known where the portal is. */
export class Proxy {
  private child: ChildProcess | undefined;
  private said = '';

  private constructor(
    readonly kind: Kind,
    readonly folder: string,
    readonly port: number,
    private readonly base: string,
  ) {}

  /** `base` is the path of its host below which people reach the portal; the proxy hands it on as it is. */
  static async make(kind: Kind, base = ''): Promise<Proxy> {
    const proxy = new Proxy(kind, await mkdtemp(join(tmpdir(), `portal-${kind}-`)), await freePort(), base);
    // Not one of an authority: a program that trusts it trusts this server alone.
    const about = ['[req]', 'distinguished_name=name', 'x509_extensions=more', 'prompt=no', '[name]', 'CN=127.0.0.1', '[more]'];
    const more = ['subjectAltName=IP:127.0.0.1', 'basicConstraints=critical,CA:FALSE', 'keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth'];
    await writeFile(proxy.path('about'), [...about, ...more].join('\n'));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-config', proxy.path('about')];
    execFileSync('openssl', ['req', '-x509', ...key, '-keyout', proxy.path('key.pem'), '-out', proxy.path('cert.pem')], { stdio: 'ignore' });
    await writeFile(proxy.path('both.pem'), readFileSync(proxy.path('cert.pem'), 'utf8') + readFileSync(proxy.path('key.pem'), 'utf8'));
    return proxy;
  }

  /** The address that people use. */
  get address(): string {
    return `https://127.0.0.1:${this.port}${this.base}`;
  }

  /** The certificate, for a program that is to trust it. */
  get certificate(): string {
    return this.path('cert.pem');
  }

  /** The configuration of a portal behind it, as a file; `listed` are the proxies that the portal believes, `more` are more tables. */
  async configure(listed = ['127.0.0.1'], more = ''): Promise<string> {
    const text = `public_url = "${this.address}"\n[proxy]\ntrusted = ${JSON.stringify(listed)}\n[target.local]\nkind = "local"\n${more}\n`;
    await writeFile(this.configuration, text);
    return this.configuration;
  }

  /** Where that file is. */
  get configuration(): string {
    return this.path('portal.toml');
  }

  /** Starts it before a portal, as the committed file says, with compression on; `more` changes the file before. */
  async start(portal: number, more: (text: string) => string = (text) => text): Promise<void> {
    const child = keep(spawn(program(this.kind), await this[this.kind](portal, more), { stdio: ['ignore', 'pipe', 'pipe'] }));
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    // The first time a large program is read from a busy disk.
    await expect.poll(async () => (child.exitCode === null ? await this.isReady() : this.said), { timeout: 120_000 }).toBe(true);
  }

  /** What it has answered, and said, as long as it is not ready. */
  private async isReady(): Promise<boolean | string> {
    if (this.kind !== 'traefik') return await listens(this.port);
    const answered = await answers(`https://127.0.0.1:${this.port}/is-ready`);
    return (typeof answered === 'number' && answered !== 404) || `${answered}; ${this.said}`;
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((exit) => child.once('exit', exit));
    child.kill('SIGTERM');
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private path(name: string): string {
    return join(this.folder, name);
  }

  private async nginx(portal: number, more: (text: string) => string): Promise<string[]> {
    let server = deploy('nginx.conf');
    server = instead(server, 'listen 443 ssl', `listen 127.0.0.1:${this.port} ssl`);
    server = instead(server, '/etc/ssl/portal.pem', this.path('cert.pem'));
    server = instead(server, '/etc/ssl/portal.key', this.path('key.pem'));
    server = instead(server, 'server_name portal.example.com', 'server_name 127.0.0.1');
    server = instead(server, 'http://127.0.0.1:3000', `http://127.0.0.1:${portal}`);
    const around = [
      ...['daemon off;', 'master_process off;', `pid ${this.path('pid')};`, 'error_log stderr;', 'events {}', 'http {', 'access_log off;'],
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${this.path(name)};`),
      ...['gzip on;', 'gzip_proxied any;', 'gzip_min_length 1;', 'gzip_types *;', 'proxy_buffering on;', more(server), '}'],
    ];
    await writeFile(this.path('nginx.conf'), around.join('\n'));
    return ['-e', 'stderr', '-p', this.folder, '-c', this.path('nginx.conf')];
  }

  private async haproxy(portal: number, more: (text: string) => string): Promise<string[]> {
    let parts = deploy('haproxy.cfg');
    parts = instead(parts, 'bind :443 ssl crt /etc/ssl/portal.pem', `bind 127.0.0.1:${this.port} ssl crt ${this.path('both.pem')}`);
    parts = instead(parts, 'server portal 127.0.0.1:3000 check', `server portal 127.0.0.1:${portal}`);
    const compression = ['compression algo gzip', 'compression type text/html text/plain application/json application/octet-stream'];
    await writeFile(this.path('haproxy.cfg'), more(instead(parts, 'mode http\n    bind', `mode http\n    ${compression.join('\n    ')}\n    bind`)));
    return ['-db', '-f', this.path('haproxy.cfg')];
  }

  private async traefik(portal: number, more: (text: string) => string): Promise<string[]> {
    // The labels of docs/deploy/compose.yaml are tried with a real engine in behind-traefik.hydrate.spec.ts; here it is a file.
    const text = JSON.stringify({
      http: {
        routers: {
          // It answers as soon as the rules are read, which is some moments after Traefik listens.
          ready: { rule: 'Path(`/is-ready`)', entryPoints: ['websecure'], service: 'noop@internal', tls: {} },
          portal: { rule: 'Host(`127.0.0.1`)', entryPoints: ['websecure'], service: 'portal', middlewares: ['compress'], tls: {} },
        },
        middlewares: { compress: { compress: { minResponseBodyBytes: 1 } } },
        services: { portal: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${portal}` }] } } },
      },
      tls: { certificates: [{ certFile: this.path('cert.pem'), keyFile: this.path('key.pem') }] },
    });
    // A file of YAML may be one of JSON.
    await writeFile(this.path('rules.yaml'), more(text));
    return [`--entrypoints.websecure.address=127.0.0.1:${this.port}`, `--providers.file.filename=${this.path('rules.yaml')}`, '--log.level=WARN'];
  }
}
