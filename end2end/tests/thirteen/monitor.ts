import { expect } from '@playwright/test';
import { proof } from '../practice.ts';
import { noEngine, type Procedure } from './procedure.ts';
import { calm } from './world.ts';

export const monitor: Procedure = {
  number: 3,
  slug: 'monitor-system-health',
  title: 'Monitor System Health',
  quick: true,
  facts: () => ({ started: proof('started', 'adonisjs'), container: proof('container', 'adonisjs'), running: proof('running') }),
  proves: async (before, after, { page, olga }) => {
    expect(after, 'nothing was changed').toEqual(before);
    await olga.go('/procedures/monitor-system-health');
    await expect(page.locator('main')).toContainText('N/A');
  },
  users: {
    reaches: { place: 2, title: 'Check Prometheus Alerts' },
    down: [
      { what: 'engine', step: { place: 3, title: 'Verify Logs' }, says: noEngine },
      { what: 'prometheus', step: { place: 2, title: 'Check Prometheus Alerts' } },
    ],
    courses: [
      {
        steps: [
          { title: 'Access Grafana', byHand: { line: 'System Overview', note: 'no gap in the graphs' } },
          { title: 'Check Prometheus Alerts', deeds: [{ says: ['MailRelayUnreachable'] }] },
          { title: 'Verify Logs', deeds: [{ says: ['refused the connection', 'reverse-proxy'] }] },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
  own: {
    reaches: { place: 1, title: 'Go to the project' },
    down: [
      { what: 'engine', before: [1], step: { place: 4, title: 'Check services and logs' }, says: noEngine },
      { what: 'prometheus', before: [1], step: { place: 3, title: 'Ask Prometheus' }, says: /curl: \(7\)/ },
    ],
    courses: [
      {
        steps: [
          { title: 'Go to the project' },
          { title: 'Look at the dashboards', byHand: { line: 'System Overview', note: 'no gap in the graphs' } },
          { title: 'Ask Prometheus', deeds: [{ says: ['MailRelayUnreachable', /\d targets/] }] },
          { title: 'Check services and logs', deeds: [{ says: [/\d+ lines with an error/] }] },
          { title: 'Check the host' },
        ],
        rest: calm,
        verdict: 'reached',
      },
    ],
  },
};
