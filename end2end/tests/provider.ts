// A certified identity provider on this machine, under another name than the portal's: for a browser it is another site.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { expect, type Page } from '@playwright/test';

/** The name and the secret of the portal there. */
export const client = { id: 'runbook-portal', secret: 'a secret of the portal & of nobody else' };

/** Who is known there, and in which groups. */
const groups: Record<string, string[]> = { nils: ['ops', 'football'], nora: ['leads'], eve: ['football'], ada: ['leads'] };

export class IdentityProvider {
  private constructor(
    readonly issuer: string,
    private readonly server: Server,
  ) {}

  /** Starts one that sends people back to one address. */
  static async start(back: string): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          redirect_uris: [back],
          grant_types: ['authorization_code'],
          response_types: ['code'],
        },
      ],
      claims: { openid: ['sub'], profile: ['preferred_username', 'name', 'groups'] },
      pkce: { required: () => true },
      findAccount: (_context, id) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, name: `${id} of elsewhere`, groups: groups[id] ?? [] }),
      }),
      // Nobody is asked whether the portal may know who they are.
      loadExistingGrant: async (context) => {
        const { client: asks, session } = context.oidc;
        const grant = new provider.Grant({ clientId: asks?.clientId ?? '', accountId: session?.accountId ?? '' });
        grant.addOIDCScope('openid profile');
        await grant.save();
        return grant;
      },
    });
    server.on('request', provider.callback());
    return new IdentityProvider(issuer, server);
  }

  /** Types a name there, on the page to which the portal has sent the browser. */
  async signIn(page: Page, name: string): Promise<void> {
    await expect(page).toHaveURL(new RegExp(`^${this.issuer}/`));
    await page.locator('input[name=login]').fill(name);
    await page.locator('input[name=password]').fill('anything');
    await page.locator('button[type=submit]').click();
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
