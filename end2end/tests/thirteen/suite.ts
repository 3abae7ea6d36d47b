// The thirteen procedures as tests, for one of the two documents: each worked through; each with something down; and what must never happen.
import { expect, test as base } from '../fixtures.ts';
import { practice } from '../practice.ts';
import { take } from '../stack.ts';
import { procedures } from '../users-file.ts';
import { access } from './access.ts';
import { alert } from './alert.ts';
import { bootstrap } from './bootstrap.ts';
import { certificates } from './certificates.ts';
import { deploy } from './deploy.ts';
import { parts, partIsDown, wayIsDown } from './down.ts';
import { drift } from './drift.ts';
import { failures } from './failures.ts';
import { noComposeFile, noSuchService, registryRefuses } from './faulty.ts';
import { keepsNone, noneAnywhere } from './kept.ts';
import { monitor } from './monitor.ts';
import type { Part, Procedure, Way, Which } from './procedure.ts';
import { restart } from './restart.ts';
import { restore } from './restore.ts';
import { rolling } from './rolling.ts';
import { House, type Stage } from './stage.ts';
import { neverRuns } from './stray.ts';
import { usage } from './usage.ts';
import { watchtower } from './watchtower.ts';
import { calm, forgetKept } from './world.ts';

const thirteen: Procedure[] = [
  ...[restart, deploy, monitor, usage, restore, certificates, watchtower],
  ...[failures, drift, alert, bootstrap, rolling, access],
];

/** What takes long: it runs by `make thirteen`, and is left out of every other run. */
const long = '@long';

type Worker = { house: House | undefined };
type Each = { machine: void; stage: Stage | undefined };

/** The practice machine alone, brought back to its beginning, and a portal with a document that works there. */
const on = (which: Which) =>
  base.extend<Each, Worker>({
    house: [
      async ({ browser }, use) => {
        const house = await House.open(browser, which);
        await use(house);
        await house?.close();
      },
      { scope: 'worker', timeout: 180_000 },
    ],
    machine: [
      async ({ house }, use) => {
        if (house === undefined) return await use();
        let leave = await take('portal-practice-machine');
        await expect.poll(async () => (leave ??= await take('portal-practice-machine')) !== undefined, { timeout: 1_700_000, intervals: [100] }).toBe(true);
        try {
          practice('reset');
          forgetKept();
          await calm();
          await use();
        } finally {
          await leave?.();
        }
      },
      { timeout: 1_800_000 },
    ],
    stage: async ({ browser, house, machine: _ }, use) => {
      const stage = await house?.enter(browser);
      await use(stage);
      await stage?.leave();
    },
  });

export function theThirteen(which: Which): void {
  const test = on(which);
  const name = which === 'users' ? "user's file" : 'bundled document';
  const way = (procedure: Procedure): Way => procedure[which];

  test.describe(name, () => {
    // In order, in one worker: there is one machine. A new portal for each would only take time.
    test.describe.configure({ mode: 'default', timeout: 1_500_000 });

    /** A test that is left out where the document is not there. */
    const it = (title: string, body: (stage: Stage) => Promise<void>, tag: string[] = [long]) =>
      test(title, { tag }, async ({ stage }) => {
        if (stage === undefined) console.log(`${name}: ABSENT`);
        test.skip(stage === undefined, 'the document is not there');
        if (stage !== undefined) await body(stage);
      });

    for (const procedure of thirteen) {
      const title = `procedure ${procedure.number}, ${procedure.title}: from its page to its verdict, with its effect on the machine`;
      const work = async (stage: Stage) => {
        expect(await procedures(stage.olga)).toBe(13);
        const before = procedure.facts();
        await procedure.trouble?.(stage);
        for (const [index, course] of way(procedure).courses.entries()) {
          const number = `${procedure.number}`.padStart(2, '0');
          await stage.work(procedure.slug, course, `${which === 'users' ? 'USER' : 'OWN'}-${procedure.number}-${index + 1}`);
          await stage.keep(`thirteen-${which}-${number}-${index + 1}`);
          await keepsNone(stage);
        }
        await procedure.proves(before, procedure.facts(), stage);
        stage.house.worked.add(procedure.number);
        console.log(`${name}: ${stage.house.worked.size}/${thirteen.length}`);
      };
      it(title, work, which === 'own' && procedure.quick ? [] : [long]);
    }

    it('after all of them the values of .env and the token of the registry are nowhere in what the portal keeps, shows and gives away', async (stage) => {
      const { worked } = stage.house;
      test.skip(worked.size < thirteen.length, `${worked.size} of ${thirteen.length} procedures were worked through in this portal`);
      await noneAnywhere(stage, thirteen.map(({ slug }) => slug));
    });

    it('with ssh down each of the thirteen says so in one sentence, and nothing is green', async (stage) => await wayIsDown(stage, thirteen, way));

    for (const [part, called] of Object.entries(parts) as [Part, string][]) {
      it(`with ${called} down, whichever of the thirteen needs it says so, and nothing is green`, async (stage) =>
        await partIsDown(stage, thirteen, part, way));
    }

    if (which === 'users') {
      it('the second text about certificates behind the audit never runs under its name, by any route', neverRuns);
      it('a compose file that is not there is said before the first step, and by the step that needs it', noComposeFile);
      it('a service that the compose file does not have is said by the step that needs it', noSuchService);
      it('a registry that refuses is said by the step that asks it', registryRefuses);
    }
  });
}
