// Ports for servers that are stopped and started again at the same place.
import { createServer } from 'node:net';

/** From here to the ephemeral ones: while a server is stopped, no outgoing connection takes its port. */
const [first, many] = [20_000, 12_000];

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((answer) => {
    server.once('error', () => answer(false));
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)));
  });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const from = Math.floor(Math.random() * many);
  for (let tried = 0; tried < many; tried += 1) {
    const port = first + ((from + tried) % many);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}
