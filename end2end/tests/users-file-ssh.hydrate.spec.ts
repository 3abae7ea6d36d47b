// The user's own file, byte for byte, on another machine: its procedures 1, 4, 5 and 12 over real ssh against the practice stack.
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from '@playwright/test';
import { expect } from './fixtures.ts';
import { Lead } from './lead.ts';
import { disrupt, endWatch, good, Machine } from './machine.ts';
import { backends, running, startTime, test } from './stack.ts';
import { procedures, restoreParameters, usersFile, work } from './users-file.ts';

/** The words that the document cannot say. A TOML string and a JSON string are written alike. */
const sideFile = (folder: string) => `
target = "production"
directory = ${JSON.stringify(join(folder, 'docker'))}
literal = ["user@production-server"]

[parameter.project_directory]
placeholder = "/path/to/brainbytes"
type = "path"

[parameter.previous_version]
placeholder = "previous-version"
type = "text"

${restoreParameters(join(folder, 'backups'))}
[procedure."Rolling Update Strategy".parameter.service]
placeholder = "service_name"
type = "compose-service"
file = "docker/compose.prod.yml"
`;

const it = (name: string, body: (machine: Machine, browser: Browser, scripts: boolean) => Promise<void>) =>
  test(name, async ({ browser, scripts }) => {
    test.setTimeout(600_000);
    const file = usersFile();
    if (file === undefined) {
      console.log("user's file: ABSENT");
      return;
    }
    const machine = await Machine.make(browser, scripts, async (runbooks, folder) => {
      await copyFile(file, join(runbooks, 'brainbytes.md'));
      await writeFile(join(runbooks, 'brainbytes.portal.toml'), sideFile(folder));
    });
    try {
      const read = await procedures(machine.olga);
      console.log(`user's file: ${read}/13`);
      expect(read).toBe(13);
      await body(machine, browser, scripts);
    } finally {
      await machine.leave();
    }
  });

it('procedure 1, restart: the run goes to the machine and its folder, restarts the container there, and rolls back in part', async ({ olga, project, sshd }) => {
  const before = startTime();
  const run = await olga.start('restart-adonisjs-backend-service', { 'Project directory': project, 'Previous version': 'v1.4' }, 'USER-1');
  await work(olga, run, [['SSH into the production server', /^Run step 1/, 'ok']]);
  await expect(olga.page.getByText(sshd.place).first()).toBeVisible();
  expect(await sshd.log()).toContain('Accepted publickey');

  await olga.open(run, 2);
  await disrupt(olga, /^Run step 2/);
  await olga.step('Restart the backend service', 'ok');
  await work(olga, run, [['Verify service status', /^Run step 3/, 'ok']], 3);
  expect(startTime() > before, `${before} and then ${startTime()}`).toBe(true);

  // As it is written, the first command of the rollback names no service. It is skipped with a reason, and the rest is done.
  await olga.open(run, 4);
  await olga.press(/^Run rollback step 1/);
  await olga.step('Rollback', 'failed');
  await olga.open(run, 4);
  await expect(olga.page.getByText('exit 1').first()).toBeVisible();
  await olga.skip(1, 'adonisjs:v1.4 is no service');
  await olga.press(/^Run the rest of rollback step 1/);
  await olga.step('Rollback', 'ok');
  await olga.finish('reached');
  await olga.go('/history');
  await expect(olga.page.getByRole('row').filter({ hasText: 'USER-1' })).toContainText('reached');
});

it('procedure 4, high usage: both screens are followed and ended, the backend is doubled, and is one again', async ({ olga }) => {
  const run = await olga.start('handle-high-cpu-memory-usage', {}, 'USER-4');
  await olga.open(run, 1);
  await olga.press(/^Run step 1/);
  await endWatch(olga, 1);
  await olga.step('Identify problematic container', 'ok');
  await olga.open(run, 2);
  await olga.press(/^Run step 2/);
  await endWatch(olga, 1);
  await endWatch(olga, 2);
  await olga.step('Get detailed metrics', 'ok');
  await work(olga, run, [['Check application logs', /^Run step 3/, 'ok']], 3);

  await olga.open(run, 4);
  await disrupt(olga, /^Run “Scale up service if possible”/);
  await olga.step('Temporary mitigation', 'ok');
  expect(backends()).toHaveLength(2);
  await olga.open(run, 5);
  await olga.press(/^Run “Scale back down if scaling caused issues”/);
  await olga.step('Rollback', 'ok');
  expect(backends()).toHaveLength(1);
  await olga.finish('reached');
});

it('procedure 5, restore: a lead sees the file at the machine, and only what was approved is done there', async (machine, browser, scripts) => {
  const { olga, backups, database, portal } = machine;
  const backup = await machine.damage('latest.dump');
  const lena = await Lead.arrive(browser, portal, scripts);

  const run = await olga.start('restore-from-backup', { Backups: backups, Backup: backup }, 'USER-5');
  await olga.page.getByLabel('Why, for the lead who decides').fill('sessions are corrupt');
  await olga.press('Ask for approval');
  await expect(olga.page.getByText('“Restore database” waits for a lead.')).toBeVisible();
  await work(olga, run, [['List available backups', /^Run step 1/, 'ok']]);
  await lena.consider('Restore database', 'production');
  for (const words of ['mongorestore', 'Backup file', 'latest.dump']) await expect(lena.page.getByText(words).first()).toBeVisible();
  await lena.approve('Restore database');
  await lena.page.context().close();

  await olga.open(run, 2);
  await disrupt(olga, /^Run step 2/);
  await olga.step('Stop dependent services', 'ok');
  expect(running()).toEqual([]);
  await olga.open(run, 3);
  await olga.press(/^Run step 3/);
  await olga.step('Restore database', 'ok');
  expect(await readFile(join(database, 'sessions.json'), 'utf8')).toBe(good);
  await work(olga, run, [['Restart services', /^Run step 4/, 'ok']], 4);
  expect(running()).toEqual(['adonisjs', 'nextjs']);
  await olga.finish('reached');
});

it('procedure 12, rolling update: what cannot be pulled stops it truthfully, and the way back by a kept configuration works', async ({ olga, project }) => {
  const run = await olga.start('rolling-update-strategy', { Service: 'adonisjs' }, 'USER-12');
  await work(olga, run, [['Pre-Deployment', /^Run step 1/, 'ok']]);
  const kept = (await readdir(project)).filter((name) => /^backup-config-\d{8}\.yml$/.test(name));
  expect(kept).toHaveLength(1);
  expect(await readFile(join(project, kept[0] ?? ''), 'utf8')).toContain('practice/adonisjs:current');

  // There is no registry that has these images. The update does not go on by itself; the operator says why it may.
  await olga.open(run, 2);
  await disrupt(olga, /^Run step 2/);
  await olga.step('Deploy Update', 'failed');
  await olga.open(run, 2);
  await expect(olga.page.getByText('exit 1').first()).toBeVisible();
  await olga.skip(1, 'the image was built here');
  await olga.press(/^Run the rest of step 2/);
  await olga.step('Deploy Update', 'ok');

  // Nobody answers on port 80 here: the check is no plain success.
  await olga.open(run, 3);
  await olga.press(/^Run step 3/);
  await olga.step('Verify', 'failed');
  await olga.open(run, 3);
  await expect(olga.page.getByText('exit 7').first()).toBeVisible();
  await olga.skip(1, 'there is no proxy on port 80');
  await olga.press(/^Run the rest of step 3/);
  await endWatch(olga, 2);
  await olga.step('Verify', 'ok');

  await work(olga, run, [['Rollback', /^Run rollback step 1/, 'ok']], 4);
  expect(running()).toEqual(['adonisjs', 'nextjs']);
  await olga.finish('reached');
});
