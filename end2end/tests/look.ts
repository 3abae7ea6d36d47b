// Looks at a page as a demanding reader would: both themes, every width, an accessibility engine, no sideways scrolling.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** Where pictures of every page go; without it none are taken. `make pictures` sets it. */
const pictures = process.env['PORTAL_PICTURES'] ?? '';

const themes = ['light', 'dark'] as const;

/** Widths that a page is made for, with the height of such a screen. */
const screens = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];

/** Where the accessibility engine looks: each theme once and each kind of screen once, or everywhere where pictures are taken as well. */
const examined = (theme: string, width: number) => (pictures ? width < 1920 : `${theme} ${width}` === 'light 390' || `${theme} ${width}` === 'dark 1280');

/** Widths at which nothing may reach beyond the edge. */
const widths = [320, 360, 390, 768, 1024, 1280, 1920, 2560];

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Makes the window as high as the page. A narrow page grows itself with the window, because its output does: less each time. */
async function heighten(page: Page, width: number): Promise<void> {
  for (let round = 0; round < (width < 992 ? 20 : 1); round += 1) {
    const { high, seen } = await page.evaluate(() => ({ high: document.documentElement.scrollHeight, seen: window.innerHeight }));
    if (round > 0 && high <= seen) return;
    await page.setViewportSize({ width, height: Math.max(high, 800) });
  }
}

/**
 * What the accessibility engine objects to, in words that name the place. The window is as high as the page meanwhile: what
 * lies under a bar that stays in sight only has to be scrolled from under it.
 */
async function objections(page: Page, width: number): Promise<string[]> {
  await heighten(page, width);
  const { violations } = await new AxeBuilder({ page }).withTags(rules).analyze();
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id} (${help}): ${target.join(' ')}`));
}

/** How far the page reaches beyond the right edge of the window, in pixels. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** Looks at what a page shows now, and leaves it as it was. */
export async function look(page: Page, name: string): Promise<void> {
  const before = page.viewportSize() ?? screens[1]!;
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const screen of screens) {
      await page.setViewportSize(screen);
      const place = `${name}, ${colorScheme}, ${screen.width} px`;
      if (pictures) await picture(page, `${name}-${colorScheme}-${screen.width}`);
      if (examined(colorScheme, screen.width)) expect.soft(await objections(page, screen.width), place).toEqual([]);
    }
  }
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    expect.soft(await overflow(page), `${name} reaches beyond the edge at ${width} px`).toBeLessThanOrEqual(0);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  await page.setViewportSize(before);
}

/**
 * Takes pictures of what a reader sees of the output of a run that goes on meanwhile: both themes, on a phone and on a desk. In each of them
 * something has to hold first.
 */
export async function watch(page: Page, name: string, holds: () => Promise<void>): Promise<void> {
  const before = page.viewportSize() ?? screens[1]!;
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const screen of screens.filter(({ width }) => width < 1920)) {
      await page.setViewportSize(screen);
      await page.locator('ol.log').evaluate((list) => list.scrollIntoView({ block: 'center', behavior: 'instant' }));
      await holds();
      if (pictures) await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${screen.width}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  await page.setViewportSize(before);
}

async function picture(page: Page, name: string): Promise<void> {
  await mkdir(pictures, { recursive: true });
  await wholePage(page, join(pictures, `${name}.png`));
}

/** A picture of the whole page, as it is before somebody scrolls: the bar at the top stays in sight, wherever that is. */
export async function wholePage(page: Page, path: string): Promise<void> {
  await page.evaluate(() => window.scrollTo({ top: 0, behavior: 'instant' }));
  await page.screenshot({ path, fullPage: true });
}
