// A command that asks something: the page says so, and an operator answers it with one line or one key.
import { expect, test, type Operator } from './fixtures.ts';

/** Adds a step of one command to a run of the tour, and starts it. */
async function asks(operator: Operator, command: string, title: string): Promise<void> {
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.add(command, title);
  await operator.press(`Run the added step: ${title}`);
}

test('a command that waits for a line gets the line that an operator types', async ({ operator }) => {
  const { page } = operator;
  await asks(operator, 'read -r answer; echo "it was: $answer"', 'Ask something');

  await operator.until(async () => {
    await expect(page.getByText('Command 1 may be waiting for input.')).toBeVisible();
  });
  await page.getByLabel('One line for it').fill("it's $(id) 100%");
  await page.getByRole('button', { name: 'Send line' }).click();

  await operator.step('Ask something', 'ok');
  await operator.until(async () => {
    await expect(page.getByText("it was: it's $(id) 100%").first()).toBeVisible();
  });
});

test('a full-screen program takes the key that ends it', async ({ operator }) => {
  const { page } = operator;
  await asks(operator, 'top', 'Look at the processes');

  await operator.until(async () => {
    await expect(page.getByRole('button', { name: 'Press q' })).toBeVisible();
  });
  await page.getByRole('button', { name: 'Press q' }).click();

  await operator.step('Look at the processes', 'ok');
});
