import { createServer } from 'node:http';
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
