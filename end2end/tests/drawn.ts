// What of a log stands on the page, and what of that its reader sees.
import type { Page } from '@playwright/test';

/** The view draws so many lines at most: `DRAWN` of app/src/live/sheet.rs. */
const DRAWN = 400;

/** So many rows at most: the lines, with what stands between them (where commands begin, notes) and the space above and below. */
export const ROWS = DRAWN + 50;

/** The numbers of the lines that can be seen in the box. */
export const inSight = ({ page }: { page: Page }) =>
  page.locator('ol.log').evaluate((list) => {
    const frame = list.getBoundingClientRect();
    return [...list.querySelectorAll('li > a[id]')]
      .filter((number) => {
        const row = number.getBoundingClientRect();
        return row.bottom > frame.top + 1 && row.top < frame.bottom - 1;
      })
      .map((number) => Number(number.id.replace(/^s\d+-L/, '')));
  });

/** The number of the last line that is drawn; 0 while there is none. */
export const lastDrawn = (page: Page) =>
  page.locator('ol.log').evaluate((list) => Number([...list.querySelectorAll('li > a[id]')].at(-1)?.id.replace(/^s\d+-L/, '') ?? 0));

/**
 * Whether the end of the log is seen in the next picture that the browser makes of it. Rows come between two pictures, and the box is
 * scrolled just before the second: whoever measures in between sees what no reader does.
 */
export const endsInSight = (page: Page) =>
  page.locator('ol.log').evaluate(
    (list) =>
      new Promise<boolean>((tell) => {
        const seen = new IntersectionObserver(
          (entries) => {
            seen.disconnect();
            tell(entries.some(({ isIntersecting }) => isIntersecting));
          },
          { root: list, rootMargin: '28px' },
        );
        seen.observe(list.lastElementChild ?? list);
      }),
  );

/** The most that was ever drawn of a log: its rows, with what stands between them, and all of its elements. */
export type Most = { rows: number; elements: number };

/** Has the page look at its log whenever it changes; gives what tells the most that was drawn since then. */
export async function watchDrawn(page: Page): Promise<() => Promise<Most>> {
  const most = await page.evaluateHandle(() => {
    const most = { rows: 0, elements: 0 };
    const look = () => {
      const list = document.querySelector('ol.log');
      most.rows = Math.max(most.rows, list?.childElementCount ?? 0);
      most.elements = Math.max(most.elements, list?.getElementsByTagName('*').length ?? 0);
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    return most;
  });
  return () => most.jsonValue();
}
