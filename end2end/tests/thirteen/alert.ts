import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { practice, proof } from '../practice.ts';
import { tokenToSuggest } from '../suggesting.ts';
import { noEngine, type Procedure } from './procedure.ts';
import type { Stage } from './stage.ts';
import { calm, compose, figure, firedAt, released, there } from './world.ts';

const slug = 'alert-investigation-playbook';

const card = ({ page }: Stage) => page.locator('#suggestions .ask-card').filter({ hasText: 'AppEndpointDown' });

/** Lets the machine's Alertmanager tell this portal, with a token that does nothing else. */
async function tellThePortal({ olga, page, house }: Stage): Promise<void> {
  await olga.go('/account');
  const token = await tokenToSuggest(page);
  const folder = await mkdtemp(join(tmpdir(), 'portal-token-'));
  const file = join(folder, 'token');
  await writeFile(file, token);
  await chmod(file, 0o600);
  practice('webhook', `${house.portal.address}/api/alerts`, file);
  await rm(folder, { recursive: true });
}

/** From the moment at which an alert fires to the one at which people see it as a suggestion, in seconds: no more than that. */
const soon = 15;

/** The backend goes; gives when it did, when the alert of that began to fire, and when a page that was open showed it as a suggestion. */
async function suggested(stage: Stage): Promise<{ gone: number; fired: number; seen: number }> {
  await tellThePortal(stage);
  await stage.olga.go('/');
  await expect(card(stage)).toHaveCount(0);
  const gone = Date.now();
  compose('stop adonisjs');
  await card(stage).first().waitFor({ timeout: 90_000 });
  const seen = Date.now();
  return { gone, fired: await firedAt('AppEndpointDown', gone), seen };
}

/** The backend goes, its alert comes as a suggestion, and a run begins from that. */
async function fromTheAlert(stage: Stage, target: string, values: Record<string, string> = {}): Promise<number> {
  const { olga, page } = stage;
  const { gone, fired, seen } = await suggested(stage);
  const since = (then: number) => `${((seen - then) / 1_000).toFixed(1)} s`;
  figure(`an alert of the real Prometheus is a suggestion ${since(fired)} after it fires and ${since(gone)} after its service was stopped`);
  expect(seen - fired, 'milliseconds from the alert to the suggestion').toBeLessThanOrEqual(soon * 1_000);
  await card(stage).first().getByRole('link', { name: /^Open / }).click();
  await expect(page).toHaveURL(new RegExp(`/procedures/${slug}\\?suggestion=\\d+`));
  await page.locator('html[data-ready]').waitFor();
  const form = page.getByRole('complementary', { name: 'Start a run' });
  await expect(form).toContainText('Suggested by AppEndpointDown of adonisjs');
  await expect(form.getByLabel('Reason or ticket')).toHaveValue('Alert AppEndpointDown of adonisjs');
  if (target === 'network') await form.getByLabel('Target', { exact: true }).selectOption(target);
  for (const [label, value] of Object.entries(values)) await olga.fill(label, value);
  await form.getByRole('button', { name: /^Start run/ }).click();
  await page.waitForURL(/\/runs\/\d+/);
  return Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
}

/** Starts a run of the procedure on the machine itself. */
async function onTheMachine({ olga, page }: Stage): Promise<number> {
  await olga.go(`/procedures/${slug}`);
  await page.getByLabel('Target', { exact: true }).selectOption('production');
  await page.getByRole('button', { name: /^Start run/ }).click();
  await page.waitForURL(/\/runs\/\d+/);
  return Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
}

export const alert: Procedure = {
  number: 10,
  slug,
  title: 'Alert Investigation Playbook',
  trouble: ({ house }) => {
    if (house.which === 'users') return;
    // A release, before which somebody has kept the image.
    there('docker tag ghcr.io/brainbytes/adonisjs:current brainbytes-kept/adonisjs:before');
    released();
  },
  facts: () => ({
    git: proof('git', 'production'),
    container: proof('container', 'adonisjs'),
    level: proof('variable', 'adonisjs', 'LOG_LEVEL'),
    version: proof('version', 'adonisjs'),
  }),
  proves: async (before, after, stage) => {
    expect(after['container'], 'the backend was made anew').not.toEqual(before['container']);
    if (stage.house.which === 'users') {
      expect(before['git']?.[0]).toContain('Let the backend log everything');
      expect(after['git']?.[0]).toContain('Revert "Let the backend log everything"');
      expect([before['level'], after['level']]).toEqual([['debug'], ['info']]);
      // What is written so that it cannot work is said before.
      await stage.olga.go(`/procedures/${slug}`);
      await expect(stage.page.locator('main')).toContainText('-g');
      await expect(stage.page.locator('main')).toContainText(/brace/);
    } else {
      expect(after['version']).toEqual(['1']);
    }
    await stage.olga.go('/');
    await expect(card(stage), 'an alert that is over suggests nothing').toHaveCount(0, { timeout: 60_000 });
  },
  users: {
    reaches: { place: 3, title: 'Verify Application Health' },
    down: [
      { what: 'engine', step: { place: 3, title: 'Verify Application Health' } },
      { what: 'prometheus', target: 'network', step: { place: 1, title: 'Check Prometheus' } },
    ],
    courses: [
      // Two of its names are known in the network of the services only, and the rest is for the machine: two targets, two runs.
      {
        target: 'network',
        start: async (stage) => await fromTheAlert(stage, 'network'),
        steps: [
          { title: 'Check Prometheus', deeds: [{ says: ['bad_data'] }] },
          { title: 'Review Traefik Metrics', deeds: [{ comesTo: /^(ok|difference)$/ }] },
          { title: 'Verify Application Health', skipped: 'on the machine, in a run of its own' },
        ],
        verdict: 'not reached',
        comment: 'The query is not understood as it is written. It goes on at the machine.',
      },
      {
        start: onTheMachine,
        steps: [
          { title: 'Check Prometheus', skipped: 'its name is not known here' },
          { title: 'Review Traefik Metrics', skipped: 'its name is not known here' },
          // An answer that is an error is no plain success: somebody looks before it goes on.
          { title: 'Verify Application Health', deeds: [{ comesTo: 'paused', says: [/HTTP\/1\.1 50\d/] }, { comesTo: 'difference' }] },
          { title: 'Rollback', deeds: [{ choice: 'If recent deployment caused issues' }] },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 2, title: 'Go to the project' },
    down: [
      { what: 'engine', before: [2], step: { place: 4, title: 'Ask the application' } },
      { what: 'prometheus', before: [2], step: { place: 3, title: 'Ask Prometheus' }, says: /curl: \(7\)/ },
    ],
    courses: [
      {
        start: async (stage) => await fromTheAlert(stage, 'production', { Service: 'adonisjs' }),
        steps: [
          { title: 'Read the alert', byHand: true },
          { title: 'Go to the project' },
          { title: 'Ask Prometheus', deeds: [{ says: ['AppEndpointDown', /\d targets/] }] },
          // Two answers that are errors, one after the other.
          { title: 'Ask the application', deeds: [{ comesTo: 'paused', says: [/HTTP\/1\.1 50\d/] }, { comesTo: 'paused' }, { comesTo: 'difference' }] },
          { title: 'Ask what changed', deeds: [{ says: ['Let the backend log everything'] }] },
          { title: 'Decide', byHand: { line: 'Write the cause', note: 'the release of today' } },
          { title: 'Rollback' },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
};
