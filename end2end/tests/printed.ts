// A step that has printed something, and the words for moving in its output.
import { expect, type Operator } from './fixtures.ts';

/** Adds a step of some commands to a run of the tour, and runs it to its end. */
export async function printed(operator: Operator, commands: string, title: string, state = 'ok'): Promise<number> {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.add(commands, title);
  await operator.press(`Run the added step: ${title}`);
  await operator.step(title, state);
  return run;
}

export const field = (operator: Operator) => operator.page.getByRole('searchbox', { name: /^Search the whole log/ });

/** Types a place into the field and goes there. */
export async function go(operator: Operator, place: string): Promise<void> {
  await field(operator).fill(place);
  await field(operator).press('Enter');
}

/** The row of a line. */
export const row = ({ page }: Operator, line: number) => page.locator('ol.log > li').filter({ has: page.locator(`a[id$="-L${line}"]`) });

/** The place in the plan of the step whose output is shown, as the addresses of its lines have it. */
export async function shownStep({ page }: Operator): Promise<number> {
  const number = page.locator('ol.log li > a[id]').first();
  await expect(number).toHaveAttribute('id', /^s\d+-L\d+$/);
  return Number(/^s(\d+)/.exec((await number.getAttribute('id')) ?? '')?.[1]);
}
