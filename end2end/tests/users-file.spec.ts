// The user's own file, byte for byte, with a side file beside it: its two everyday procedures on the practice stack.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, populate, someone } from './fixtures.ts';
import { Portal } from './portal.ts';
import { stack, startTime, test } from './stack.ts';
import { procedures, usersFile, work } from './users-file.ts';

/** The words that the document cannot say. A TOML string and a JSON string are written alike. */
const sideFile = `
target = "local"
directory = ${JSON.stringify(stack)}
literal = ["user@production-server"]

[parameter.project_directory]
placeholder = "/path/to/brainbytes"
type = "path"
`;

test('the user\'s own file is read, and its restart and its daily round run to the end', async ({ browser, scripts }) => {
  test.setTimeout(180_000);
  const file = usersFile();
  if (file === undefined) {
    console.log("user's file: ABSENT");
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'portal-users-file-'));
  await copyFile(file, join(folder, 'brainbytes.md'));
  await writeFile(join(folder, 'brainbytes.portal.toml'), sideFile);
  const portal = await Portal.start(folder);
  try {
    await populate(browser, portal);
    const operator = await someone(browser, portal, 'olga', scripts);
    const { page } = operator;
    const read = await procedures(operator);
    console.log(`user's file: ${read}/13`);
    expect(read).toBe(13);

    const before = startTime();
    const restart = await operator.start('restart-adonisjs-backend-service', { 'Project directory': stack }, 'USER-1');
    await work(operator, restart, [
      ['SSH into the production server', /^Run step 1/, 'ok'],
      ['Restart the backend service', /^Run step 2/, 'ok'],
      ['Verify service status', /^Run step 3/, 'ok'],
    ]);
    await operator.finish('reached');
    expect(startTime() > before, `${before} and then ${startTime()}`).toBe(true);

    const round = await operator.start('monitor-system-health', {}, 'USER-2');
    await work(operator, round, [
      ['Access Grafana', /^Mark step 1 as done/, 'ok'],
      ['Check Prometheus Alerts', /^Run step 2/, 'ok'],
      ['Verify Logs', /^Run step 3/, 'ok'],
    ]);
    await operator.finish('reached');

    await operator.go('/history');
    for (const ticket of ['USER-1', 'USER-2'])
      await expect(page.getByRole('row').filter({ hasText: ticket })).toContainText('reached');
  } finally {
    await portal.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
