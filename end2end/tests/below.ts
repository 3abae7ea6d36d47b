// A portal below a path of a host, behind a reverse proxy as small as one can be.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Portal } from './portal.ts';

/** The path below which the portal is. What else the host has belongs to other applications. */
const base = '/ops/runbooks';

/** What a proxy keeps to itself: how it speaks with its own neighbour. */
const ownHeaders = ['connection', 'keep-alive', 'transfer-encoding'];

/** The ways of a proxy: Traefik's StripPrefix takes the path off, a plain rule for a path leaves it. */
export const ways = [
  { way: 'takes the path off', takesOff: true },
  { way: 'leaves the path', takesOff: false },
];

export class Below {
  /** What was asked of the other applications of the host. No page of the portal leads there. */
  readonly elsewhere: string[] = [];

  private constructor(
    readonly portal: Portal,
    private readonly server: Server,
    private readonly takesOff: boolean,
  ) {
    server.on('request', (asked: IncomingMessage, answer: ServerResponse) => this.pass(asked, answer));
  }

  static async start(takesOff: boolean): Promise<Below> {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address() as AddressInfo;
    const portal = await Portal.start(undefined, undefined, `http://127.0.0.1:${port}${base}`);
    return new Below(portal, server, takesOff);
  }

  async remove(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.portal.remove();
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    const url = asked.url ?? '/';
    const path = url.split('?')[0] ?? '';
    if (path !== base && !path.startsWith(`${base}/`)) {
      this.elsewhere.push(url);
      answer.writeHead(404, { 'content-type': 'text/plain' }).end('another application\n');
      return;
    }
    const rest = url.slice(base.length);
    const told = this.takesOff ? (rest.startsWith('/') ? rest : `/${rest}`) : url;
    const headers = this.takesOff ? { ...asked.headers, 'x-forwarded-prefix': base } : asked.headers;
    const onward = request({ host: '127.0.0.1', port: this.portal.port, method: asked.method, path: told, headers }, (came) => {
      const kept = Object.entries(came.headers).filter(([name]) => !ownHeaders.includes(name));
      answer.writeHead(came.statusCode ?? 502, Object.fromEntries(kept));
      // A stream has begun when its head is there, before anything is in it.
      answer.flushHeaders();
      came.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  }
}
