// The bundled document, in our own words, on another machine: its procedures 1, 4, 5 and 12 over real ssh against the practice stack.
import { execFileSync } from 'node:child_process';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Browser } from '@playwright/test';
import { expect } from './fixtures.ts';
import { Lead } from './lead.ts';
import { disrupt, endWatch, good, Machine } from './machine.ts';
import { backends, running, startTime, test } from './stack.ts';
import { procedures, work } from './users-file.ts';

/** Puts the bundled document there, to run on the target `production`, with its backups in the folder of the test. */
async function bundled(runbooks: string, folder: string): Promise<void> {
  const from = resolve(import.meta.dirname, '../../runbooks');
  await cp(join(from, 'brainbytes.md'), join(runbooks, 'brainbytes.md'));
  const side = await readFile(join(from, 'brainbytes.portal.toml'), 'utf8');
  const here = side.replace('target = "local"', 'target = "production"').replaceAll('/var/backups/brainbytes"', `${folder}/backups"`);
  await writeFile(join(runbooks, 'brainbytes.portal.toml'), here.replace(`placeholder = "${folder}/backups"`, 'placeholder = "/var/backups/brainbytes"'));
}

const it = (name: string, body: (machine: Machine, browser: Browser, scripts: boolean) => Promise<void>) =>
  test(name, async ({ browser, scripts }) => {
    test.setTimeout(600_000);
    const machine = await Machine.make(browser, scripts, bundled);
    try {
      expect(await procedures(machine.olga)).toBe(13);
      await body(machine, browser, scripts);
    } finally {
      await machine.leave();
    }
  });

it('a restart over ssh: the machine, its container with a later start time, and an answer', async ({ olga, project }) => {
  const before = startTime();
  const run = await olga.start('restart-adonisjs-backend-service', { 'Project directory': project }, 'OWN-1');
  await work(olga, run, [
    ['Connect to the host', /^Run step 1/, 'ok'],
    ['Keep what you see now', /^Run step 2/, 'ok'],
  ]);
  await olga.open(run, 3);
  await disrupt(olga, /^Run step 3/);
  await olga.step('Restart the backend', 'ok');
  await work(olga, run, [
    ['Wait until it answers', /^Run step 4/, 'ok'],
    ['Verify', /^Run step 5/, 'ok'],
  ], 4);
  expect(startTime() > before, `${before} and then ${startTime()}`).toBe(true);
  await olga.finish('reached');
});

it('high usage over ssh: two screens are ended, one alternative is chosen, a second backend comes and goes', async ({ olga, project }) => {
  const run = await olga.start('handle-high-cpu-memory-usage', { 'Project directory': project }, 'OWN-4');
  await work(olga, run, [
    ['Go to the project', /^Run step 1/, 'ok'],
    ['Find the container', /^Run step 2/, 'ok'],
  ]);
  await olga.open(run, 3);
  await olga.press(/^Run step 3/);
  await endWatch(olga, 1);
  await endWatch(olga, 2);
  await olga.step('Watch it for a minute', 'ok');
  await work(olga, run, [['Read the log before you relieve it', /^Run step 4/, 'ok']], 4);
  await olga.open(run, 5);
  await olga.page.getByLabel('To run this alone, type production').last().fill('production');
  await olga.press(/^Run “Option 2/);
  await olga.step('Relieve it', 'ok');
  expect(backends()).toHaveLength(2);
  await work(olga, run, [['See that it helped', /^Run step 6/, 'ok']], 6);
  await olga.open(run, 7);
  await olga.press(/^Run rollback step 1/);
  await olga.step('Rollback', 'ok');
  expect(backends()).toHaveLength(1);
  await olga.finish('reached');
});

it('a restore over ssh: the present state is kept first, a lead approves, and the data of the backup is there', async (machine, browser, scripts) => {
  const { olga, backups, database, portal, project } = machine;
  const backup = await machine.damage('nightly-20260301.archive.gz');
  await machine.withDatabase();
  const lena = await Lead.arrive(browser, portal, scripts);

  const run = await olga.start('restore-from-backup', { 'Project directory': project, 'Backup folder': backups, Backup: backup }, 'OWN-5');
  // The first step goes to the folder, which an approval holds for.
  await work(olga, run, [
    ['Go to the project', /^Run step 1/, 'ok'],
    ['Choose the backup', /^Run step 2/, 'ok'],
  ]);
  await olga.page.getByLabel('Why, for the lead who decides').fill('sessions are corrupt');
  await olga.press('Ask for approval');
  await expect(olga.page.getByText('“Restore database” waits for a lead.')).toBeVisible();
  await lena.consider('Restore database', 'production');
  for (const words of ['mongorestore', 'Backup file', 'nightly-20260301']) await expect(lena.page.getByText(words).first()).toBeVisible();
  await lena.approve('Restore database');
  await lena.page.context().close();

  await olga.open(run, 3);
  await disrupt(olga, /^Run step 3/);
  await olga.step('Stop what writes', 'ok');
  expect(running()).toEqual([]);
  await work(olga, run, [
    ['Save the present state', /^Run step 4/, 'ok'],
    ['Restore database', /^Run step 5/, 'ok'],
    ['Start the services', /^Run step 6/, 'ok'],
  ], 4);
  expect(await readFile(join(database, 'sessions.json'), 'utf8')).toBe(good);
  expect(running()).toEqual(['adonisjs', 'nextjs']);
  const kept = (await readdir(backups)).filter((name) => name.startsWith('before-restore-'));
  expect(execFileSync('tar', ['-xzOf', join(backups, kept[0] ?? ''), 'sessions.json']).toString()).toBe('{"corrupt":true}\n');
  await olga.finish('reached');
});

it('a rolling update over ssh: the image cannot be pulled, which stops it, and the kept configuration is the way back', async ({ olga, project }) => {
  const run = await olga.start('rolling-update-strategy', { 'Project directory': project, Service: 'adonisjs' }, 'OWN-12');
  try {
    await work(olga, run, [
      ['Go to the project', /^Run step 1/, 'ok'],
      ['Start from a healthy state', /^Run step 2/, 'ok'],
      ['Keep configuration and image', /^Run step 3/, 'ok'],
    ]);
    const kept = (await readdir(join(project, 'docker'))).filter((name) => name.startsWith('before-'));
    expect(kept).toHaveLength(1);
    await olga.open(run, 4);
    await disrupt(olga, /^Run step 4/);
    await olga.step('Update one service', 'failed');
    await olga.open(run, 4);
    await expect(olga.page.getByText('exit 1').first()).toBeVisible();
    await olga.skip(1, 'the image was built here');
    await olga.press(/^Run the rest of step 4/);
    await olga.step('Update one service', 'ok');
    await olga.open(run, 5);
    await olga.press(/^Run step 5/);
    await endWatch(olga, 2);
    await olga.step('Verify before the next one', 'ok');

    await olga.open(run, 6);
    await olga.page.getByLabel('Saved configuration').filter({ visible: true }).fill(kept[0] ?? '');
    await olga.press('Set Saved configuration');
    await olga.press(/^Run “Option 2/);
    await olga.step('Rollback', 'ok');
    expect(running()).toEqual(['adonisjs', 'nextjs']);
    await olga.finish('reached');
  } finally {
    execFileSync('docker', ['image', 'rm', '--force', 'brainbytes-kept/adonisjs:before'], { stdio: 'ignore' });
  }
});
