// The thirteen procedures on the practice machine, all of them: `make thirteen`. The other tests leave most of these out.
import { defineConfig } from '@playwright/test';
import base from './playwright.config.ts';

export default defineConfig({
  ...base,
  testMatch: ['**/thirteen.hydrate.spec.ts', '**/own-thirteen.hydrate.spec.ts'],
  // There is one machine, and whoever waits for it only takes time from who has it.
  workers: 1,
  // A picture of every moment would cost as much as the page itself.
  use: { ...base.use, trace: { mode: 'retain-on-failure', screenshots: false } },
  projects: [{ name: 'the thirteen' }],
});
