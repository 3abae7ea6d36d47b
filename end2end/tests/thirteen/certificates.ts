import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import { noEngine, type Procedure } from './procedure.ts';
import type { Stage } from './stage.ts';
import { asking, calm, there, until } from './world.ts';

const facts = () => ({ served: proof('served'), signals: proof('signals'), keys: proof('keys'), proxy: proof('container', 'reverse-proxy') });
type Facts = ReturnType<typeof facts>;

/** What visitors ask meanwhile, for each stage; and what was there before. */
const watched = new WeakMap<Stage, { before: Facts; end: () => Promise<{ asked: number; failed: number }> }>();

const begin = (stage: Stage) => void watched.set(stage, { before: facts(), end: asking('https://brainbytes.example/api/health') });

/** There is a second pair, which is not served before the proxy was told. */
const renewed = (stage: Stage) => {
  const before = watched.get(stage)?.before;
  const now = facts();
  expect(now.keys.filter((line) => line.includes('/privkey'))).toHaveLength(2);
  expect([now.served, now.signals]).toEqual([before?.served, before?.signals]);
};

/** The signal has arrived, the new certificate is served, and no visitor was turned away. */
const reloaded = async (stage: Stage) => {
  const { before, end } = watched.get(stage)!;
  expect(Number(proof('signals')[0])).toBe(Number(before.signals[0]) + 1);
  await until(['served'], (lines) => lines.join() !== before.served.join());
  const { asked, failed } = await end();
  expect(asked).toBeGreaterThan(5);
  expect(failed, `of ${asked} requests`).toBe(0);
};

/** Which key certbot takes for the one in force. */
const live = () => there('docker exec brainbytes_reverse-proxy_1 readlink /etc/letsencrypt/live/brainbytes.example/privkey.pem');

/** The digest of a file of the proxy. */
const digest = (keys: string[] | undefined, file: RegExp) => keys?.find((line) => file.test(line))?.split(' ')[1];

export const certificates: Procedure = {
  number: 6,
  slug: 'renew-ssl-certificates',
  title: 'Renew SSL Certificates',
  facts,
  proves: (before, after, { house }) => {
    const old = digest(before['keys'], /privkey1\.pem/);
    expect(old).toBeTruthy();
    if (house.which === 'users') {
      expect(digest(after['keys'], /cert\.key/), 'the key of before is where the proxy reads').toBe(old);
      expect(after['proxy'], 'the proxy was not made anew').toEqual(before['proxy']);
    } else {
      expect(digest(after['keys'], /privkey1\.pem/), 'the kept key is the one of before').toBe(old);
    }
  },
  users: {
    reaches: { place: 1, title: 'Check certificate status' },
    down: [{ what: 'engine', step: { place: 1, title: 'Check certificate status' }, says: noEngine }],
    courses: [
      {
        steps: [
          { title: 'Check certificate status', first: begin, deeds: [{ says: ['Certificate Name:'] }] },
          {
            title: 'Renew certificates',
            deeds: [
              { comesTo: 'paused', says: ['all simulated renewals succeeded'] },
              { choice: 'If dry run successful, run actual renewal', says: ['all renewals succeeded'] },
            ],
            then: renewed,
          },
          { title: 'Reload Traefik', then: reloaded },
        ],
        rest: calm,
        rollback: [
          {
            title: 'Rollback',
            approved: [{ choice: 'Revert to previous certificate if needed', shown: [/privkey1\.pem/] }],
            deeds: [{ choice: 'Revert to previous certificate if needed' }],
          },
        ],
        verdict: 'rolled back',
        comment: 'The certificate was renewed and served; the key of before lies there again.',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [{ what: 'engine', before: [1], step: { place: 2, title: 'See what is served and what is stored' } }],
    courses: [
      {
        steps: [
          { title: 'Go to the project' },
          { title: 'See what is served and what is stored', first: begin, deeds: [{ says: ['notAfter=', 'Certificate Name:'] }] },
          { title: 'Keep the present keys', then: () => expect(there('ls /srv/backups')).toMatch(/letsencrypt-\d{8}-\d{6}\.tar\.gz/) },
          { title: 'Rehearse', deeds: [{ says: ['all simulated renewals succeeded'] }] },
          {
            title: 'Renew',
            deeds: [{ says: ['all renewals succeeded'] }],
            then: (stage) => {
              renewed(stage);
              expect(live()).toContain('privkey2.pem');
            },
          },
          // The proxy of the practice machine has a SIGHUP, as nginx has.
          { title: 'Let the proxy read the new certificate', deeds: [{ choice: 'Option 1: nginx reads it again on SIGHUP' }], then: reloaded },
          { title: 'Verify on the wire', deeds: [{ says: ['Certificate will not expire'] }] },
        ],
        rest: calm,
        rollback: [
          {
            title: 'Rollback',
            values: { 'Certificate backup': () => there('ls /srv/backups/letsencrypt-*.tar.gz').trim() },
            approved: [{ shown: [/tar -xzf/] }],
            then: () => expect(live()).toContain('privkey1.pem'),
          },
        ],
        verdict: 'rolled back',
        comment: 'The certificate was renewed and served; the kept keys are back.',
      },
    ],
  },
};
