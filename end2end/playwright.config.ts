import { join } from 'node:path';
import { defineConfig, devices } from '@playwright/test';

// Debian's Chromium: Playwright's own download is not always in reach, and this one gets security updates.
const chromium = process.env['PORTAL_CHROMIUM'] ?? '/usr/bin/chromium';

// Containers come and go while the tests run, and Chromium would take that for a reason to drop what it is connecting to.
const steady = join(process.env['PORTAL_TOOLS'] ?? join(import.meta.dirname, '../.tools'), 'lib/steady-network.so');

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: !!process.env['CI'],
  // A test that needs a second try has found something: there is none.
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'test-results/report.json' }]],
  use: {
    ...devices['Desktop Chrome'],
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    // Without a limit, an element that never comes is waited for as long as the whole test may take.
    actionTimeout: 30_000,
    launchOptions: {
      executablePath: chromium,
      env: { ...process.env, LD_PRELOAD: steady },
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    // What is tagged so takes long, and has a command of its own: `make thirteen`, `make pictures` and `make prove`, by the other configurations.
    { name: 'with scripts', grepInvert: /@long/ },
    {
      name: 'without scripts',
      // What only the wasm can do (live output, keys, the palette), and whole procedures on other machines, is named `….hydrate.spec.ts`.
      testIgnore: '**/*.hydrate.spec.ts',
      use: { javaScriptEnabled: false },
    },
  ],
});
