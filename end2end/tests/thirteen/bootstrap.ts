import { execFileSync } from 'node:child_process';
import { expect } from '@playwright/test';
import { practice, proof } from '../practice.ts';
import { away, noEngine, type Procedure } from './procedure.ts';
import { calm, secrets, until } from './world.ts';

/** Somebody fills in what is missing in `.env`. Its values are nothing that is typed on a page. */
const fillIn = () => void execFileSync('docker', ['exec', 'practice-machine', 'cp', '/practice/environment', '/srv/brainbytes/.env']);

const images = () => proof('images').join('\n');

/** What nothing used is gone, and what is needed is there. */
const cleaned = () => {
  expect(images()).not.toContain('ghcr.io/brainbytes/nextjs:v2 ');
  expect(images()).toContain('ghcr.io/brainbytes/adonisjs:current ');
};

export const bootstrap: Procedure = {
  number: 11,
  slug: 'container-bootstrap-troubleshooting',
  title: 'Container Bootstrap Troubleshooting',
  trouble: async () => {
    practice('trouble', 'crash');
    practice('trouble', 'login');
    await until(['restarts', 'adonisjs'], (lines) => Number(lines[0]?.split(' ')[0]) >= 2);
    expect(images(), 'there is an image that nothing uses').toContain('ghcr.io/brainbytes/nextjs:v2 ');
  },
  facts: () => ({ running: proof('running'), container: proof('container', 'adonisjs') }),
  proves: async (before, after) => {
    cleaned();
    expect(after['running'], 'everything runs that ran').toEqual(before['running']);
    const restarts = proof('restarts', 'adonisjs');
    expect(restarts, 'and does not start again and again').toEqual([expect.stringMatching(/^0 running$/)]);
  },
  users: {
    reaches: { place: 1, title: 'Check Container Logs' },
    down: [
      { what: 'engine', step: { place: 1, title: 'Check Container Logs' }, says: noEngine },
      // What would be removed first is another matter; the images that are fetched come from there.
      { what: 'registry', step: { place: 4, title: 'Rollback' }, skips: [1], says: away },
    ],
    courses: [
      {
        steps: [
          { title: 'Check Container Logs', deeds: [{ says: ['missing environment variable APP_KEY'] }] },
          {
            title: 'Verify .env File',
            deeds: [{ says: ['SESSION_SECRET='] }],
            then: async (stage) => {
              const output = await stage.output(2);
              expect(output).not.toContain('APP_KEY');
              for (const value of secrets()) expect(output.includes(value), 'a value of .env is shown').toBe(false);
            },
          },
          { title: 'Check Disk Space', deeds: [{ says: ['RECLAIMABLE'] }] },
          // It asks, as it does at a terminal, and says what would go.
          {
            title: 'Rollback',
            approved: [{ shown: [/docker system prune -a/] }],
            deeds: [{ asks: { command: 1, says: 'all images without at least one container', answer: 'y' } }],
            then: cleaned,
          },
          { title: `Start the backend with what was missing`, place: 4, first: fillIn, added: 'docker-compose -f docker/compose.prod.yml up -d adonisjs' },
        ],
        rest: async () => {
          await until(['restarts', 'adonisjs'], (lines) => lines.join() === '0 running');
          await calm();
        },
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [
      { what: 'engine', before: [1], values: { Service: 'adonisjs' }, step: { place: 2, title: 'Read how it ended' }, says: noEngine },
      {
        what: 'registry',
        before: [1],
        values: { Service: 'adonisjs' },
        step: { place: 6, title: 'Rollback' },
        skips: [1, 2, 3, 4],
        choice: 'Option 1: fetch one image again',
        says: away,
      },
    ],
    courses: [
      {
        values: { Service: 'adonisjs', Image: 'ghcr.io/brainbytes/adonisjs:current' },
        steps: [
          { title: 'Go to the project' },
          { title: 'Read how it ended', deeds: [{ says: [/restarts=[1-9]/, 'missing environment variable APP_KEY'] }] },
          { title: 'Check variables and permissions', deeds: [{ says: [/^APP_KEY\s*$/m, 'APP_KEY'] }] },
          { title: 'Check room and ports', deeds: [{ says: ['RECLAIMABLE'] }] },
          { title: 'Start it and listen', first: fillIn, deeds: [{ watches: [{ command: 2, said: 'listening on port 3333' }] }] },
          {
            title: 'Rollback',
            deeds: [{ comesTo: 'paused' }],
            then: async (stage) => {
              await stage.approve(6, 'Rollback', { choice: 'Option 2: make room', shown: [/docker system prune --all --force/] });
              await stage.olga.open(stage.run, 6);
              await stage.deed(6, 'Rollback', { choice: 'Option 2: make room' });
              cleaned();
            },
          },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
};
