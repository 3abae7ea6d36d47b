// A text that is covered while people look at it far up in a long log: nobody has to load a page again, and no page goes on having it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setUp } from './factor.ts';
import { expect, populate, someone, test, type Operator } from './fixtures.ts';
import { Portal } from './portal.ts';
import { go } from './printed.ts';

/** What is printed in line 3,001. The document has it only turned round. */
const secret = 'hunter-otter';
const mask = '*'.repeat(secret.length);

const document = `# Print a password

## Steps

1. **Print much**

   \`\`\`bash
   s=$(echo ${'uhagre-bggre'} | tr a-z n-za-m); seq 1 3000; echo "called $s"; seq 1 3000
   \`\`\`
`;

/** Asks in a browser of its own for the secret to be covered. */
async function ask({ page }: Operator): Promise<void> {
  await page.getByText('Cover something in this output…').click();
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Ask for it to be covered' }) });
  await form.getByLabel('This text, wherever it stands').fill(secret);
  await form.getByLabel('Why').fill('a password was printed');
  await form.getByRole('button', { name: 'Ask for it to be covered' }).click();
  await expect(page.getByText('Ada Lind wants 12 bytes in 1 place covered')).toBeVisible();
}

/** Goes to the line of the secret, once all of the output is there. */
async function look(person: Operator, text: string): Promise<void> {
  await expect.poll(async () => (await person.log()).at(-1)?.trim()).toBe('3000');
  await go(person, ':3001');
  await expect(person.page.locator('ol.log').getByText(`called ${text}`, { exact: true })).toBeVisible();
}

test('what is covered disappears from the lines at which somebody looks, and from a replay', async ({ browser, scripts }) => {
  test.setTimeout(180_000);
  const folder = await mkdtemp(join(tmpdir(), 'portal-covered-'));
  await writeFile(join(folder, 'print.md'), document);
  const portal = await Portal.start(folder);
  try {
    await populate(browser, portal);
    const [olga, otto, ada, lena] = (await Promise.all(
      ['olga', 'otto', 'ada', 'lena'].map(async (login) => await someone(browser, portal, login, scripts)),
    )) as [Operator, Operator, Operator, Operator];
    await lena.go('/account');
    const { codes } = await setUp(lena.page);
    const run = await olga.start('print-a-password', {}, 'OPS-451');
    await olga.open(run, 1);
    await olga.press(/^Run step 1/);
    await olga.step('Print much', 'ok');
    for (const person of [otto, ada, lena]) await person.open(run, 1);
    await look(olga, secret);
    // Otto sees it in a replay, which has come to its end.
    await otto.press('Replay: show it once more, as it was printed');
    await expect(otto.page.getByText('The replay is at its end.')).toBeVisible({ timeout: 30_000 });

    await ask(ada);
    await lena.page.getByLabel('Code of your second factor').fill(codes[0] ?? '');
    await lena.page.getByRole('button', { name: `Confirm and cover, redaction ${run}-1` }).click();

    await expect(otto.page.getByRole('group', { name: 'Replay' })).toHaveCount(0);
    for (const person of [olga, otto]) {
      await expect.poll(async () => (await person.page.content()).includes(secret)).toBe(false);
      await look(person, mask);
    }
    for (const person of [olga, otto, ada, lena]) await person.page.context().close();
  } finally {
    await portal.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
