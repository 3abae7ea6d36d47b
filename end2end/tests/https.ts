// Whether somebody answers by TLS already, asked without a browser.
import { get } from 'node:https';

/** The status by which an address is answered, or why it is not; a server that is being started may leave a question without answer. */
export async function answers(address: string): Promise<number | string> {
  return await new Promise((answer) => {
    const asked = get(address, { rejectUnauthorized: false, agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      answer(response.statusCode ?? 'no status');
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer in 5 s')));
    asked.once('error', (error) => answer(error.message));
  });
}
