// Real services on a real Docker engine, a real Prometheus: the two procedures of every working day.
import { expect } from './fixtures.ts';
import { stack, startTime, test } from './stack.ts';

test('the daily round reads the real services and the real Prometheus to the end', async ({ operator }) => {
  test.setTimeout(120_000);
  const { page } = operator;
  const run = await operator.start('monitor-system-health', { 'Project directory': stack }, 'daily round');

  await operator.open(run, 1);
  await operator.press('Run step 1: Go to the project');
  await operator.step('Go to the project', 'ok');
  await operator.open(run, 2);
  await operator.press(/^Mark step 2 as done/);
  await operator.step('Look at the dashboards', 'ok');
  for (const [step, title] of [
    [3, 'Ask Prometheus'],
    [4, 'Check services and logs'],
    [5, 'Check the host'],
  ] as const) {
    await operator.open(run, step);
    await operator.press(`Run step ${step}: ${title}`);
    await operator.step(title, 'ok');
  }

  await operator.open(run, 3);
  await expect(page.getByText('MailRelayUnreachable').first()).toBeVisible();
  await operator.finish('reached');
});

test('a restart gives the backend a later start time, and the history shows every exit code', async ({ operator }) => {
  test.setTimeout(120_000);
  const { page } = operator;
  const before = startTime();
  const run = await operator.start('restart-adonisjs-backend-service', { 'Project directory': stack }, 'OPS-1');

  for (const [step, title] of [
    [1, 'Connect to the host'],
    [2, 'Keep what you see now'],
    [3, 'Restart the backend'],
    [4, 'Wait until it answers'],
    [5, 'Verify'],
  ] as const) {
    await operator.open(run, step);
    await operator.press(`Run step ${step}: ${title}`);
    await operator.step(title, 'ok');
  }
  await operator.finish('reached');

  expect(startTime() > before, `${before} and then ${startTime()}`).toBe(true);
  await operator.go('/history');
  await expect(page.getByRole('row').filter({ hasText: 'OPS-1' }).first()).toContainText('reached');
  await operator.go(`/runs/${run}`);
  await expect(page.getByText('exit 0').first()).toBeVisible();
});
