// What is wrong on the machine or was put in wrongly, as the page says it in a sentence; the portal stays up.
import { expect } from '@playwright/test';
import { restart } from './restart.ts';
import { rolling } from './rolling.ts';
import type { Stage } from './stage.ts';
import { watchtower } from './watchtower.ts';
import { there } from './world.ts';

/** How a command of the step that is shown has ended. */
const ended = ({ page }: Stage) => page.locator('section.step .outcome').filter({ hasText: /exit [1-9]\d*/ }).first();

/** Has a step fail and say something, closes the run, and looks whether the portal is there as before. */
async function fails(stage: Stage, place: number, title: string, says: RegExp): Promise<void> {
  const { olga, house, page } = stage;
  await olga.open(stage.run, place);
  await stage.deed(place, title, { comesTo: 'failed', says: [says] });
  await expect(ended(stage)).toBeVisible();
  await olga.go(`/runs/${stage.run}`);
  await olga.finish('aborted', 'it cannot work');
  for (const path of ['/healthz', '/readyz']) expect((await page.request.get(`${house.portal.address}${path}`)).ok(), path).toBe(true);
}

/** The compose file is not there: said before the first step, and by the step that needs it. */
export async function noComposeFile(stage: Stage): Promise<void> {
  const { olga, page } = stage;
  there('mv /srv/brainbytes/docker/compose.prod.yml /srv/brainbytes/docker/compose.away.yml');
  const sentence = /compose\.prod\.yml is not there: a call of Compose with it fails\./;
  // The same look is not taken again for a quarter of a minute.
  await expect(async () => {
    await olga.go(`/procedures/${restart.slug}`);
    await expect(page.locator('#look')).toContainText(sentence, { timeout: 5_000 });
  }).toPass({ timeout: 60_000 });
  await stage.begin(restart.slug, {}, 'NO-FILE');
  await fails(stage, 3, 'Verify service status', /No such file or directory/);
}

/** A service that the compose file does not have, as a program may send it. */
export async function noSuchService(stage: Stage): Promise<void> {
  const start = async () => {
    const form = { slug: watchtower.slug, target: 'production', key: crypto.randomUUID(), 'values[service]': 'nosuch' };
    const answer = await stage.ask('runs/start', form);
    expect(answer.status(), await answer.text()).toBe(200);
    return Number(await answer.text());
  };
  await stage.begin(watchtower.slug, { start }, '');
  await fails(stage, 3, 'Manual Update', /No such service: nosuch/);
}

/** The registry lets nobody in: without a login, and with a token that it does not know. */
export async function registryRefuses(stage: Stage): Promise<void> {
  await stage.begin(rolling.slug, { values: { Service: 'adonisjs' } }, 'NO-LOGIN');
  await fails(stage, 2, 'Deploy Update', /unauthorized|no basic auth credentials|denied/i);
  await stage.house.withToken('ghp_0000000000000000000000000000000000000000', async () => {
    await stage.begin(watchtower.slug, {}, 'NO-TOKEN');
    await fails(stage, 2, 'Verify GHCR Access', /unauthorized|401|denied/i);
  });
}
