// The user's own file, where it is, and how its steps are worked through.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Operator } from './fixtures.ts';

/** What `PORTAL_USER_RUNBOOK` names, or the file beside the project or beside a folder above it. */
export function usersFile(): string | undefined {
  const candidates = [process.env['PORTAL_USER_RUNBOOK'] ?? ''];
  for (let folder = resolve(import.meta.dirname); folder !== dirname(folder); folder = dirname(folder))
    candidates.push(join(folder, 'shared/runbooks/brainbytes-operational-runbook.md'));
  return candidates.find((path) => path !== '' && existsSync(path));
}

/** How many procedures the portal has found. */
export async function procedures(operator: Operator): Promise<number> {
  await operator.go('/');
  return await operator.page.locator('main a[href^="/procedures/"]').evaluateAll((links) =>
    new Set(links.map((link) => new URL((link as HTMLAnchorElement).href).pathname)).size);
}

/** Works through steps of a run in order, from the first or a later one: presses what each offers and waits for its state. */
export async function work(operator: Operator, run: number, steps: [title: string, button: RegExp, state: string][], from = 1): Promise<void> {
  for (const [place, [title, button, state]] of steps.entries()) {
    await operator.open(run, from + place);
    await operator.press(button);
    await operator.step(title, state);
  }
}

/** What the side file says of the parameters of *Restore from Backup*. A TOML string and a JSON string are written alike. */
export const restoreParameters = (backups: string) => `[procedure."Restore from Backup".parameter.backups]
placeholder = "/path/to/backups/"
type = "path"

[procedure."Restore from Backup".parameter.backup]
placeholder = "/path/to/backup/latest.dump"
type = "backup-file"
root = ${JSON.stringify(backups)}
pattern = "*.dump"
`;
