// Live output through proxies, and what `doctor --from-outside` says about proxies that are set up wrong.
import { spawn } from 'node:child_process';
import { expect, lines, populate, slow, someone, test } from './fixtures.ts';
import { Portal } from './portal.ts';
import { kinds, Proxy } from './proxy.ts';

test.use({ ignoreHTTPSErrors: true });
test.setTimeout(240_000);

/** What `doctor --from-outside` prints and how it ends; it trusts the proxy's certificate, unless it is told to trust nobody's. */
async function doctor(portal: Portal, proxy: Proxy, trusted = true): Promise<{ code: number | null; text: string }> {
  const config = ['--config', proxy.configuration, '--data', portal.data, '--runbooks', portal.runbooks];
  const env = { ...process.env, ...(trusted ? { SSL_CERT_FILE: proxy.certificate } : {}) };
  const child = spawn(portal.binary, ['doctor', '--from-outside', ...config], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number | null>((exit) => child.once('close', exit));
  return { code, text };
}

/** A portal behind a proxy that is set up as its committed file says, or with changes. */
async function behind<T>(
  kind: (typeof kinds)[number],
  more: (text: string) => string,
  use: (portal: Portal, proxy: Proxy) => Promise<T>,
): Promise<T> {
  const proxy = await Proxy.make(kind);
  const portal = await Portal.start(undefined, await proxy.configure());
  try {
    await proxy.start(portal.port, more);
    return await use(portal, proxy);
  } finally {
    await proxy.remove();
    await portal.remove();
  }
}

const asItIs = (text: string) => text;

for (const kind of kinds) {
  test(`behind ${kind}, lines appear one by one, and doctor finds nothing wrong`, async ({ browser }) => {
    await behind(kind, asItIs, async (portal, proxy) => {
      const reached = { address: proxy.address, setUpLink: portal.setUpLink };
      await populate(browser, reached);
      const operator = await someone(browser, reached, 'olga', true);
      const run = await operator.start('first-tour', { Visitor: 'Olga' });
      await operator.open(run, 4);

      await operator.press('Run step 4: Watch lines arrive');

      await expect.poll(async () => slow(await operator.log()).length).toBeGreaterThan(0);
      const seen = slow(await operator.log()).length;
      expect(seen).toBeLessThan(20);
      await operator.step('Watch lines arrive', 'ok');
      await expect.poll(async () => slow(await operator.log())).toEqual(lines);

      const { code, text } = await doctor(portal, proxy);
      expect(code, text).toBe(0);
      expect(text).not.toMatch(/BAD|note/);
      await operator.page.context().close();
    });
  });
}

test('a proxy that does not pass the name on is found, with the line that is missing', async () => {
  await behind('nginx', (text) => text.replace(/proxy_set_header Host .*;/, ''), async (portal, proxy) => {
    const { code, text } = await doctor(portal, proxy);
    expect(code, text).toBe(1);
    expect(text).toMatch(/BAD .*proxy_set_header Host/s);
  });
});

test('a proxy that collects a stream is found', async () => {
  const collecting = (text: string) => text.replace('proxy_http_version 1.1;', 'proxy_http_version 1.1; proxy_ignore_headers X-Accel-Buffering;');
  const middleware = (text: string) => {
    const rules = JSON.parse(text);
    rules.http.middlewares.compress = { buffering: { memResponseBodyBytes: 1_048_576 } };
    return JSON.stringify(rules);
  };
  for (const [kind, more] of [['nginx', collecting], ['traefik', middleware]] as const) {
    await behind(kind, more, async (portal, proxy) => {
      const { code, text } = await doctor(portal, proxy);
      expect(code, text).toBe(1);
      expect(text).toMatch(/BAD .*all at once/);
    });
  }
});

test('a proxy without a rule for the name, and one that does not reach the portal, are told apart', async () => {
  const elsewhere = (text: string) => text.replace('Host(`127.0.0.1`)', 'Host(`portal.example.com`)');
  await behind('traefik', elsewhere, async (portal, proxy) => {
    const { code, text } = await doctor(portal, proxy);
    expect(code, text).toBe(1);
    expect(text).toMatch(/BAD .*routers/);
  });
  for (const kind of kinds) {
    await behind(kind, asItIs, async (portal, proxy) => {
      await portal.end('SIGTERM');
      const { code, text } = await doctor(portal, proxy);
      expect(code, text).toBe(1);
      expect(text).toMatch(/BAD .*does not reach the portal/);
    });
  }
});

test('a certificate that nobody vouches for, and a proxy that is not there, are told apart', async () => {
  await behind('haproxy', asItIs, async (portal, proxy) => {
    const distrusted = await doctor(portal, proxy, false);
    expect(distrusted.code, distrusted.text).toBe(1);
    expect(distrusted.text).toMatch(/BAD .*certificate/);
    await proxy.stop();
    const absent = await doctor(portal, proxy);
    expect(absent.code, absent.text).toBe(1);
    expect(absent.text).toMatch(/BAD .*Nobody answers/);
  });
});

test('a proxy that the portal does not list is a note', async () => {
  const proxy = await Proxy.make('nginx');
  const portal = await Portal.start(undefined, await proxy.configure([]));
  try {
    await proxy.start(portal.port);
    const { code, text } = await doctor(portal, proxy);
    expect(code, text).toBe(0);
    expect(text).toMatch(/note .*\[proxy\]/);
  } finally {
    await proxy.remove();
    await portal.remove();
  }
});
