// The portal as a container, and a step of a runbook that starts this very container again, or makes it anew: the page that shows the step
// goes on with the portal that comes back, and the step has run once.
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises';
import { type Browser } from '@playwright/test';
import { Contained } from './contained.ts';
import { expect, type Operator, populate, someone, test } from './fixtures.ts';
import { Sshd } from './sshd.ts';

test.describe.configure({ timeout: 240_000 });

/** Its second command starts the portal again, and goes on when somebody says so. */
const document = `# The portal

## Start the portal again

### Steps

1. **Start it again**

   \`\`\`bash
   echo "run $PORTAL_RUN" >> counter

   for line in 1 2 3; do echo "line $line"; done; sh ./again; until [ -e go ]; do sleep 0.05; done; echo "line 4"; (exit 3)
   \`\`\`
`;

const path = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Puts the document there, for a target of the name `machine`, and starts the portal. */
async function open(portal: Contained, target: string): Promise<void> {
  await writeFile(portal.at('portal.toml'), target);
  await writeFile(portal.at('runbooks/portal.md'), document);
  await writeFile(portal.at('runbooks/portal.portal.toml'), `target = "machine"\ndirectory = ${JSON.stringify(portal.at('work'))}\n`);
  await portal.start();
}

/** Lets a step run one or more commands that begin another life of the portal, while a page shows it. */
async function outlives(portal: Contained, olga: Operator, commands: string[][]): Promise<void> {
  const script = commands.map((words) => `${words.map((word) => `'${word}'`).join(' ')} >again.log 2>&1`).join(' && ');
  await writeFile(portal.at('work/again'), `rm -f go\n${script}\n`);
  const run = await olga.start('start-the-portal-again', {}, 'to see it come back');
  const before = portal.life();
  await olga.open(run, 1);
  await olga.press(/^Run step 1/);
  await expect(olga.page.getByText('line 3', { exact: true })).toBeVisible({ timeout: olga.patience });

  await expect.poll(() => ['', before].includes(portal.life()), { timeout: 60_000, message: 'another life begins' }).toBe(false);
  await expect.poll(async () => await portal.isThere(), { timeout: 60_000 }).toBe(true);
  await writeFile(portal.at('work/go'), '');

  await olga.step('Start it again', 'failed');
  await expect(olga.page.getByText('exit 3').first()).toBeVisible();
  const lines = ['line 1', 'line 2', 'line 3', 'line 4'];
  await expect.poll(async () => (await olga.log()).map((line) => line.trim()).filter((line) => line.startsWith('line'))).toEqual(lines);
  const whole = await olga.page.request.get(`${portal.address}/runs/${run}/output/1/1`);
  expect((await whole.text()).split(/\r?\n/).filter((line) => line.startsWith('line'))).toEqual(lines);
  const counter = (await readFile(portal.at('work/counter'), 'utf8')).split('\n');
  expect(counter.filter((line) => line === `run ${run}`)).toHaveLength(1);
  await olga.finish('not reached', 'It ends with 3.');
}

/** Both ways in which a container comes back. */
async function comesBack(browser: Browser, portal: Contained): Promise<void> {
  await populate(browser, portal);
  const olga = await someone(browser, portal, 'olga', true);
  olga.patience = 60_000;
  await outlives(portal, olga, [portal.again]);
  await outlives(portal, olga, [portal.removed, portal.made]);
  await olga.page.context().close();
}

test('a step over ssh starts the container of its portal again, and makes it anew', async ({ browser }) => {
  const sshd = await Sshd.start();
  const portal = await Contained.make();
  try {
    // The portal is another user in its container, who may read what others may.
    for (const name of ['client', 'known_hosts']) {
      await copyFile(`${sshd.folder}/${name}`, portal.at(`keys/${name}`));
      await chmod(portal.at(`keys/${name}`), 0o644);
    }
    await open(portal, sshd.target('machine', { identity_file: '/keys/client', known_hosts: '/keys/known_hosts', path }));
    await comesBack(browser, portal);
  } finally {
    await portal.remove();
    await sshd.remove();
  }
});

test('a step in a container beside it starts the container of its portal again, and makes it anew', async ({ browser }) => {
  const portal = await Contained.make();
  try {
    const label = `com.example.runbooks=${portal.address}`;
    portal.lendHands(label);
    await open(portal, `[target.machine]\nkind = "container"\nlabel = ${JSON.stringify(label)}\n`);
    await comesBack(browser, portal);
  } finally {
    await portal.remove();
  }
});
