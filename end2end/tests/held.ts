// What a tab holds in memory, by what the browser itself tells.
import { type CDPSession, expect, type Page } from '@playwright/test';

/** Bytes of the scripts and of the program of a page, and nodes of its document. */
export type Held = { scripts: number; program: number; nodes: number };

/** The bytes of the memory that the page's program has: it is found among everything that is alive, so the page need not tell. */
async function programMemory(session: CDPSession): Promise<number> {
  const objectGroup = 'memories';
  const { result } = await session.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype', objectGroup });
  const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId ?? '', objectGroup });
  const sum = await session.send('Runtime.callFunctionOn', {
    objectId: objects.objectId ?? '',
    functionDeclaration: 'function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }',
    returnByValue: true,
  });
  await session.send('Runtime.releaseObjectGroup', { objectGroup });
  return Number(sum.result.value);
}

/** What a tab holds once everything is thrown away that nobody needs. */
export async function held(page: Page): Promise<Held> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  const program = await programMemory(session);
  await session.detach();
  expect(program, 'the memory of the program was found').toBeGreaterThan(0);
  return { scripts: metric('JSHeapUsedSize'), program, nodes: metric('Nodes') };
}
