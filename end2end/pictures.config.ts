// Pictures of every page, and of output while it runs, one after the other: `make pictures`. The other tests leave the latter out.
import { defineConfig } from '@playwright/test';
import base from './playwright.config.ts';

export default defineConfig({
  ...base,
  testMatch: ['**/looks.hydrate.spec.ts', '**/running-output.hydrate.spec.ts'],
  workers: 1,
  // Who keeps a trace looks at every element as well, and what is followed here has many.
  use: { ...base.use, trace: 'off' },
  projects: [{ name: 'pictures' }],
});
