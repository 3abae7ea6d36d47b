// Something that should not have been printed: an administrator asks to cover it, a lead confirms it in another browser, and it is
// gone from the disk, from every page, and from the pages that were open meanwhile.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Operator, populate, someone, test } from './fixtures.ts';
import { setUp } from './factor.ts';
import { look } from './look.ts';
import { Portal } from './portal.ts';

/** What is printed. The document has it only turned round. */
const secret = 'hunter-otter';
const mask = '*'.repeat(secret.length);
const reason = 'a password was printed';

const document = `# Rotate a password

## Steps

1. **Show the old one**

   \`\`\`bash
   s=$(echo ${'uhagre-bggre'} | tr a-z n-za-m); printf "user olga\\ncalled $s\\nagain $s!\\n"; echo end
   \`\`\`
`;

async function world(): Promise<{ folder: string; portal: Portal }> {
  const folder = await mkdtemp(join(tmpdir(), 'portal-redaction-'));
  await writeFile(join(folder, 'rotate.md'), document);
  return { folder, portal: await Portal.start(folder) };
}

/** The files of the portal in which a text stands. */
async function traces(data: string, text: string): Promise<string[]> {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = await Promise.all(files.map(async (file) => ((await readFile(file)).includes(text) ? [file] : [])));
  return found.flat();
}

/** Olga lets the secret be printed; gives the number of her run. */
async function leak(olga: Operator): Promise<number> {
  const run = await olga.start('rotate-a-password', {}, 'OPS-450');
  await olga.open(run, 1);
  await olga.press(/^Run step 1/);
  await olga.step('Show the old one', 'ok');
  await olga.open(run, 1);
  await expect(olga.page.getByText(`called ${secret}`, { exact: true })).toBeVisible();
  return run;
}

/** Ada asks for the secret to be covered; `pictured` looks at the form before it is sent. */
async function ask(ada: Operator, run: number, pictured: boolean): Promise<void> {
  const { page } = ada;
  await ada.open(run, 1);
  await page.getByText('Cover something in this output…').click();
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Ask for it to be covered' }) });
  await form.getByLabel('Why').fill(reason);
  if (pictured) await look(page, 'redaction-to-ask');
  await form.getByLabel('This text, wherever it stands').fill('no-such-otter');
  await form.getByRole('button', { name: 'Ask for it to be covered' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'This text is nowhere in the output' })).toBeVisible();
  await page.getByText('Cover something in this output…').click();
  await form.getByLabel('This text, wherever it stands').fill(secret);
  await form.getByLabel('Why').fill(reason);
  await form.getByRole('button', { name: 'Ask for it to be covered' }).click();
  await expect(page.getByText('Ada Lind wants 24 bytes in 2 places covered')).toBeVisible();
  // Who asks does not confirm.
  await expect(page.getByText('another person has to confirm it')).toBeVisible();
  await expect(page.getByRole('button', { name: `Take back redaction ${run}-1` })).toBeEnabled();
  await expect(page.getByRole('button', { name: /^Confirm and cover/ })).toHaveCount(0);
}

/** What a page shows of the output, without anybody's loading it again. */
async function covered(person: Operator): Promise<void> {
  const { page } = person;
  await expect(page.getByText(`called ${mask}`, { exact: true })).toBeVisible();
  await expect(page.getByText('24 bytes in 2 places covered on')).toBeVisible();
  expect(await page.content()).not.toContain(secret);
}

test('a password that was printed is covered by two people, also on the pages that are open meanwhile', async ({ browser, scripts }) => {
  test.setTimeout(400_000);
  const { folder, portal } = await world();
  try {
    await populate(browser, portal);
    const [olga, otto, ada, lena] = (await Promise.all(
      ['olga', 'otto', 'ada', 'lena'].map(async (login) => await someone(browser, portal, login, scripts)),
    )) as [Operator, Operator, Operator, Operator];
    await lena.go('/account');
    const { codes } = await setUp(lena.page);
    const run = await leak(olga);
    expect(await traces(portal.data, secret), 'it is where it is looked for').toHaveLength(1);
    await olga.go(`/runs/${run}`);
    await olga.finish('not reached', 'A password was printed.');
    // Two people look at it meanwhile: at the end of the output, and at a piece of it.
    await otto.go(`/runs/${run}?step=1&attempt=1&from=0`);
    for (const person of [olga, otto]) await expect(person.page.getByText(`called ${secret}`, { exact: true })).toBeVisible();

    await lena.go('/approvals');
    await expect(lena.page.getByRole('status').filter({ hasText: 'Nothing waits for a decision' })).toBeVisible();
    await ask(ada, run, scripts);

    // The inbox tells it, also one that is open; the way to the decision is a link in it.
    await lena.until(async () => {
      await expect(lena.page).toHaveTitle(/^\(1\) Approvals/, { timeout: scripts ? 10_000 : 300 });
    });
    await expect(lena.page.getByText(reason)).toBeVisible();
    if (scripts) await look(lena.page, 'inbox-redaction');
    await lena.page.getByRole('link', { name: '24 bytes in 2 places of the output of Show the old one on local' }).click();
    await expect(lena.page.getByText(`called ${mask}`).first()).toBeVisible();
    if (scripts) await look(lena.page, 'redaction-to-decide');

    // A no takes the second factor like a yes.
    const decision = lena.page.locator('form').filter({ has: lena.page.getByRole('button', { name: /^Confirm and cover/ }) });
    await decision.getByLabel(/^Reason/).fill('it may be needed');
    await decision.getByLabel('Code of your second factor').fill('000000');
    await decision.getByRole('button', { name: `Reject redaction ${run}-1` }).click();
    await expect(lena.page.getByRole('alert').filter({ hasText: 'The code is wrong' })).toBeVisible();
    await decision.getByLabel('Code of your second factor').fill(codes[0] ?? '');
    await decision.getByRole('button', { name: `Confirm and cover, redaction ${run}-1` }).click();

    await covered(lena);
    for (const person of [olga, otto, ada]) {
      // Without scripts a page is as it was until it is loaded again; with them nobody has to.
      if (!scripts || person === ada) await person.page.reload();
      await covered(person);
    }
    if (scripts) await look(lena.page, 'redaction-covered');
    await lena.go('/approvals');
    await expect(lena.page.getByText('Nothing waits for a decision')).toBeVisible();

    // Nothing of it is left in what is stored, in what is handed out, or in the proof.
    expect(await traces(portal.data, secret)).toEqual([]);
    const raw = await lena.page.request.get(`${portal.address}/runs/${run}/output/1/1`);
    expect(await raw.text()).toBe(`user olga\ncalled ${mask}\nagain ${mask}!\nend\n`);
    const bundle = await lena.page.request.get(`${portal.address}/runs/${run}/evidence`);
    expect((await bundle.body()).includes(secret)).toBe(false);
    const proof = execFileSync(portal.binary, ['audit', 'verify', '--data', portal.data], { encoding: 'utf8' });
    expect(proof).not.toContain('was changed');
    await lena.go(`/runs/${run}`);
    await expect(lena.page.getByText(`Lena Fischer confirmed redaction ${run}-1, by recovery code`)).toBeVisible();
    for (const person of [olga, otto, ada, lena]) await person.page.context().close();
  } finally {
    await portal.remove();
    await rm(folder, { recursive: true, force: true });
  }
});

test('whoever looks on while the run is still open sees the covered output at once, and the run goes on', async ({ browser, scripts }) => {
  test.setTimeout(120_000);
  const { folder, portal } = await world();
  try {
    await populate(browser, portal);
    const olga = await someone(browser, portal, 'olga', scripts);
    const ada = await someone(browser, portal, 'ada', scripts);
    const lena = await someone(browser, portal, 'lena', scripts);
    await lena.go('/account');
    const { codes } = await setUp(lena.page);
    const run = await leak(olga);
    // Who decides has the page open before anybody asks; with scripts the question comes to it.
    await lena.open(run, 1);
    await ask(ada, run, false);
    if (!scripts) await lena.page.reload();
    await lena.page.getByLabel('Code of your second factor').fill(codes[0] ?? '');
    await lena.page.getByRole('button', { name: `Confirm and cover, redaction ${run}-1` }).click();

    if (!scripts) await olga.page.reload();
    await covered(olga);
    await olga.go(`/runs/${run}`);
    await olga.finish('reached');
    for (const person of [olga, ada, lena]) await person.page.context().close();
  } finally {
    await portal.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
