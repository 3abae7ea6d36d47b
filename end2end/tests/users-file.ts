// The user's own file, where it is.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What `PORTAL_USER_RUNBOOK` names, or the file beside the project or beside a folder above it. */
export function usersFile(): string | undefined {
  const candidates = [process.env['PORTAL_USER_RUNBOOK'] ?? ''];
  for (let folder = resolve(import.meta.dirname); folder !== dirname(folder); folder = dirname(folder))
    candidates.push(join(folder, 'shared/runbooks/brainbytes-operational-runbook.md'));
  return candidates.find((path) => path !== '' && existsSync(path));
}
