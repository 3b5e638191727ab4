import type { Database } from '#infra/database/database.ts';
import type { WriteDays } from '#infra/usage/write-subject-days.ts';

export interface Written {
  readonly subjects: number;
  readonly hours: number;
  readonly unmeasured: number;
}

/** What the sink works with on the machine it runs on. DoFns are sent by value, so they carry only the name under which to find it. */
export interface BackfillRuntime {
  readonly database: Database;
  readonly write: WriteDays;
  readonly written: (written: Written) => void;
}

const runtimes = new Map<string, BackfillRuntime>();

export async function withBackfillRuntime<Result>(
  name: string,
  runtime: BackfillRuntime,
  work: () => Promise<Result>,
): Promise<Result> {
  if (runtimes.has(name)) throw new Error(`the runtime ${name} is provided already`);
  runtimes.set(name, runtime);
  try {
    return await work();
  } finally {
    runtimes.delete(name);
  }
}

export function backfillRuntimeNamed(name: string): BackfillRuntime {
  const runtime = runtimes.get(name);
  if (runtime === undefined) throw new Error(`no runtime ${name} in this process`);
  return runtime;
}
