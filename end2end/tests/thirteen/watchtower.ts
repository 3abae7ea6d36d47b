import { expect } from '@playwright/test';
import { practice, proof } from '../practice.ts';
import { away, noEngine, type Procedure } from './procedure.ts';
import { calm, there } from './world.ts';

const facts = () => ({ version: proof('version', 'adonisjs'), container: proof('container', 'adonisjs'), logins: proof('logins') });

/** Watchtower looks every ten seconds; with the login it is answered. */
const watches = async () =>
  await expect.poll(() => there('docker logs --tail 3 watchtower 2>&1'), { timeout: 60_000, intervals: [1_000] }).toContain('Failed=0');

export const watchtower: Procedure = {
  number: 7,
  slug: 'watchtower-failure-recovery',
  title: 'Watchtower Failure Recovery',
  trouble: () => void practice('publish', 'adonisjs', 'v2'),
  facts,
  proves: async (before, after, { page, olga, house }) => {
    expect([before['version'], before['logins']]).toEqual([['1'], []]);
    expect(after['logins'], 'docker keeps the login there').toEqual(['ghcr.io']);
    if (house.which === 'users') expect(after['version'], 'the image of the registry runs').toEqual(['2']);
    expect(after['container'], 'the container was made anew').not.toEqual(before['container']);
    // And the page says that docker keeps it.
    await olga.go('/procedures/watchtower-failure-recovery');
    await expect(page.locator('main')).toContainText(house.which === 'users' ? 'docker login keeps the token on the target' : 'Docker keeps it');
  },
  users: {
    reaches: { place: 1, title: 'Check Watchtower Status' },
    down: [
      { what: 'engine', step: { place: 1, title: 'Check Watchtower Status' }, says: noEngine },
      { what: 'registry', step: { place: 2, title: 'Verify GHCR Access' }, says: away },
    ],
    courses: [
      {
        values: { Service: 'adonisjs', 'Service image': 'ghcr.io/brainbytes/adonisjs' },
        steps: [
          { title: 'Check Watchtower Status', deeds: [{ says: ['answered 401'] }] },
          { title: 'Verify GHCR Access', deeds: [{ says: ['Login Succeeded'] }], then: () => expect(proof('logins')).toEqual(['ghcr.io']) },
          { title: 'Manual Update', then: () => expect(proof('version', 'adonisjs')).toEqual(['2']) },
          { title: 'Rollback', then: () => expect(proof('images').join('\n')).toContain('ghcr.io/brainbytes/adonisjs:previous ') },
        ],
        rest: async () => {
          await watches();
          await calm();
        },
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [
      { what: 'engine', before: [1], step: { place: 2, title: 'Look at Watchtower' }, says: noEngine },
      { what: 'registry', before: [1], values: { 'Github user': 'brainbytes-deploy' }, step: { place: 3, title: 'Sign in to the registry' }, says: away },
    ],
    courses: [
      {
        values: { Service: 'adonisjs', 'Github user': 'brainbytes-deploy' },
        steps: [
          { title: 'Go to the project' },
          { title: 'Look at Watchtower', deeds: [{ says: ['answered 401'] }] },
          { title: 'Sign in to the registry', deeds: [{ says: ['Login Succeeded'] }], then: () => expect(proof('logins')).toEqual(['ghcr.io']) },
          { title: 'Update one service by hand', then: () => expect(proof('version', 'adonisjs')).toEqual(['2']) },
          { title: 'Start Watchtower again', then: watches },
        ],
        rest: calm,
        rollback: [{ title: 'Rollback', then: () => expect([proof('version', 'adonisjs'), proof('running').includes('watchtower')]).toEqual([['1'], false]) }],
        verdict: 'rolled back',
        comment: 'Version 2 was tried, and version 1 runs again.',
      },
    ],
  },
};
