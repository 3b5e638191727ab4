import { SCOPES } from '#domain/access/scope.ts';
import { createApiKey, hasValidApiKey } from '#infra/access/api-keys.ts';
import type { Database } from '#infra/database/database.ts';
import type { Instant } from '#domain/instant.ts';
import { LOCAL_FEED } from '../open-local.ts';

/** A key that may do everything in `default`, where there is no valid key yet: its secret, which is kept nowhere. Else undefined. */
export async function makeFirstKey(database: Database, clock: () => Instant): Promise<string | undefined> {
  const { namespace } = LOCAL_FEED;
  const { result } = await database.transact(async (tx) => {
    const now = clock();
    if (await hasValidApiKey(tx, namespace, now)) return undefined;
    return createApiKey(tx, { namespace, name: 'development', scopes: SCOPES, now });
  });
  return result?.secret;
}
