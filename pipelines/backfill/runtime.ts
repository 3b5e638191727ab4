import type { Database } from '#infra/database/database.ts';
import type { WriteDays } from '#infra/usage/write-subject-days.ts';
import { createRuntimeRegistry } from '#pipelines/beam/runtime-registry.ts';

export interface Written {
  readonly subjects: number;
  readonly hours: number;
  readonly unmeasured: number;
}

/** What the sink works with. */
export interface BackfillRuntime {
  readonly database: Database;
  readonly write: WriteDays;
  readonly written: (written: Written) => void;
}

export const backfillRuntimes = createRuntimeRegistry<BackfillRuntime>();
