// The document running-output.md in a portal: steps that print until somebody lets them come to their end.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type Operator, test as base } from './fixtures.ts';

/** What the steps of the document run. */
const tools = join(import.meta.dirname, 'running-output');

/** What the steps wait for before they come to their end. */
export class Gate {
  constructor(readonly file: string) {}

  async shut(): Promise<void> {
    await rm(this.file, { force: true });
  }

  async open(): Promise<void> {
    await writeFile(this.file, '');
  }
}

/** A test at a portal that has the document. */
export const test = base.extend<{ gate: Gate }>({
  gate: async ({ portal }, use) => {
    const gate = new Gate(join(portal.folder, 'go-on'));
    const document = await readFile(join(import.meta.dirname, 'running-output.md'), 'utf8');
    await gate.shut();
    await writeFile(join(portal.runbooks, 'running-output.portal.toml'), 'target = "local"\n');
    await writeFile(join(portal.runbooks, 'running-output.md'), document.replaceAll('TOOLS', tools).replaceAll('GATE', gate.file));
    await use(gate);
    // Also after a failure no step goes on for ever.
    await gate.open();
  },
});

/** Starts a run of the document, and shows a step of it that has not begun. */
export async function show(operator: Operator, step: number): Promise<void> {
  const { page, portal } = operator;
  const status = async () => (await page.request.get(`${portal.address}/procedures/running-output`)).status();
  await expect.poll(status, 'the document is read').toBe(200);
  const run = await operator.start('running-output');
  await operator.open(run, step);
}
