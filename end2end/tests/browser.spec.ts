import { createServer } from 'node:http';
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';

// Every other spec leans on this: that one project really runs scripts, and the other one really does not.
test('the browser runs scripts in one project and none in the other', async ({ page }, info) => {
  const page_text = `<!doctype html><title>Harness</title><p id="said">No script ran.</p>
    <script>document.getElementById('said').textContent = 'A script ran.'</script>`;
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page_text);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));

  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

  const expected = info.project.name === 'with scripts' ? 'A script ran.' : 'No script ran.';
  await expect(page.locator('#said')).toHaveText(expected);
  server.close();
});

/** The processes that were started by one, and by those, except those that are gone by now. */
async function startedBy(process: number): Promise<number[]> {
  const children = (await readFile(`/proc/${process}/task/${process}/children`, 'utf8').catch(() => '')).trim().split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(startedBy))).flat()];
}

/** What a process has open, as the system names it: `socket:[4711]`. */
async function opened(process: number): Promise<string[]> {
  const all = await readdir(`/proc/${process}/fd`).catch(() => []);
  return Promise.all(all.map((one) => readlink(`/proc/${process}/fd/${one}`).catch(() => '')));
}

// It would drop what it is connecting to whenever the container of another test comes or goes.
test('the browser does not hear of networks that come and go', async ({ page }) => {
  await page.goto('data:text/html,<title>Harness</title>');
  const netlink = (await readFile('/proc/net/netlink', 'utf8')).trim().split('\n').slice(1).map((line) => `socket:[${line.trim().split(/\s+/).at(-1)}]`);
  const processes = await startedBy(process.pid);
  const sockets = (await Promise.all(processes.map(opened))).flat().filter((name) => name.startsWith('socket:'));

  expect(sockets.length, 'the browser has sockets').toBeGreaterThan(5);
  expect(sockets.filter((name) => netlink.includes(name))).toEqual([]);
});
