import { readBackend } from '#infra/cloud/backend.ts';
import { openCloud } from '#infra/cloud/open-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import { openLocal } from '#infra/local/open-local.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import type { Instant } from '#domain/instant.ts';

export interface OpenBatchStores {
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: () => Instant;
  /** Of the embedded stores; `MILLRACE_DATA_DIR` where nothing is said. */
  readonly directory?: string | undefined;
}

/** No embedded stores where nobody has said where they lie: making new ones somewhere would look like an empty platform. */
export class NoDirectory extends Error {
  constructor() {
    super('--directory (or MILLRACE_DATA_DIR) says where the embedded stores lie');
    this.name = 'NoDirectory';
  }
}

/** Opens the stores that batch work is done on: the embedded ones, or those on Google Cloud with `MILLRACE_BACKEND=gcp`. Throws `NoDirectory`. */
export async function openBatchStores({
  environment,
  clock,
  directory = environment['MILLRACE_DATA_DIR'] ?? '',
}: OpenBatchStores): Promise<OpenedStores> {
  if (readBackend(environment) !== 'embedded')
    return openCloud({ settings: readCloudSettings(environment), clock, tag: 'batch' });
  if (directory === '') throw new NoDirectory();
  return openLocal({ directory, clock });
}
