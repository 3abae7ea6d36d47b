// A tab that is open for an hour: `make prove ONLY=tab`. The other tests leave it out.
import { defineConfig } from '@playwright/test';
import base from './playwright.config.ts';

export default defineConfig({
  ...base,
  testMatch: '**/tab.hydrate.spec.ts',
  workers: 1,
  // What a trace or a picture keeps of the page would be measured as well.
  use: { ...base.use, trace: 'off', screenshot: 'off' },
  projects: [{ name: 'the tab' }],
});
