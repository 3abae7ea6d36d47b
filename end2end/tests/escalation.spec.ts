// Escalation: whom the procedure names, a hand-over that can be changed before it goes out, and what the record keeps.
import { expect, test } from './fixtures.ts';
import { look } from './look.ts';

test('a contact whom nothing reaches is named with what to do, and that they were called is in the record', async ({ operator, scripts }) => {
  const { page } = operator;
  const run = await operator.start('monitor-system-health', {}, 'ESC-1');
  await operator.go(`/runs/${run}`);
  const panel = page.locator('#escalation');
  await expect(panel).toContainText('on-call has no mail address and no webhook; call on-call.');

  await panel.getByText('Note that you called engineer on call…').click();
  const field = panel.getByRole('textbox', { name: 'Hand-over' });
  await expect(field).toHaveValue(new RegExp(`^Run ${run}: Monitor System Health on `));
  if (scripts) await look(page, 'run-with-escalation');
  await field.fill('Prometheus does not answer.\nI called at ten.');
  await panel.getByRole('button', { name: 'Note that you called engineer on call' }).click();

  await operator.until(async () => {
    await expect(panel).toContainText('noted a call to engineer on call (on-call)', { timeout: operator.glance });
  });
  await panel.getByText('Show the hand-over').click();
  await expect(panel).toContainText('Prometheus does not answer.');
  await operator.finish('aborted', 'a test');
});
