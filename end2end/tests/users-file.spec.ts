// The user's own file, byte for byte, with a side file beside it: its two everyday procedures on the practice stack.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, populate, someone, test, type Operator } from './fixtures.ts';
import { Portal } from './portal.ts';
import { needStack, stack, startTime } from './stack.ts';
import { usersFile } from './users-file.ts';

/** The words that the document cannot say. A TOML string and a JSON string are written alike. */
const sideFile = `
target = "local"
directory = ${JSON.stringify(stack)}
literal = ["user@production-server"]

[parameter.project_directory]
placeholder = "/path/to/brainbytes"
type = "path"
`;

/** Works through the steps of a run in order: presses what each offers and waits for its state. */
async function work(operator: Operator, run: number, steps: [title: string, button: RegExp, state: string][]): Promise<void> {
  for (const [place, [title, button, state]] of steps.entries()) {
    await operator.open(run, place + 1);
    await operator.press(button);
    await operator.step(title, state);
  }
}

test('the user\'s own file is read, and its restart and its daily round run to the end', async ({ browser, scripts }) => {
  test.setTimeout(180_000);
  const file = usersFile();
  if (file === undefined) {
    console.log("user's file: ABSENT");
    return;
  }
  needStack();
  const folder = await mkdtemp(join(tmpdir(), 'portal-users-file-'));
  await copyFile(file, join(folder, 'brainbytes.md'));
  await writeFile(join(folder, 'brainbytes.portal.toml'), sideFile);
  const portal = await Portal.start(folder);
  try {
    await populate(browser, portal);
    const operator = await someone(browser, portal, 'olga', scripts);
    const { page } = operator;
    await operator.go('/');
    const procedures = await page.locator('main a[href^="/procedures/"]').evaluateAll((links) =>
      new Set(links.map((link) => new URL((link as HTMLAnchorElement).href).pathname)).size);
    console.log(`user's file: ${procedures}/13`);
    expect(procedures).toBe(13);

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
