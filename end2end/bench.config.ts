// What is measured in a browser, one after the other: `make bench` runs it before everything else.
import { defineConfig } from '@playwright/test';
import tests from './playwright.config.ts';

export default defineConfig({
  ...tests,
  testDir: 'bench',
  testMatch: '**/*.bench.ts',
  fullyParallel: false,
  workers: 1,
  timeout: 600_000,
  reporter: [['list']],
  // Traces of the tests' runner would be measured as well.
  use: { ...tests.use, trace: 'off', screenshot: 'off' },
  projects: [{ name: 'with scripts' }],
});
