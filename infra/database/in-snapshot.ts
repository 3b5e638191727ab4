import type { Database, SnapshotReads } from './database.ts';

/** Does some reads in one snapshot of the newest state. The work must not take another one: it could wait for itself. */
export async function inSnapshot<Result>(
  database: Database,
  work: (snapshot: SnapshotReads) => Promise<Result>,
): Promise<Result> {
  const snapshot = await database.snapshot();
  try {
    return await work(snapshot);
  } finally {
    await snapshot.close();
  }
}
