import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Instant } from '#domain/instant.ts';
import { StoreFailure, UnknownOutcome } from '#infra/database/errors.ts';

/** Writes what the system holds of an open file to the disk; rejects when the disk fails. */
export type SyncFile = (file: number) => Promise<void>;

const syncData: SyncFile = promisify(fdatasync);

/** Brings commits to the disk on another thread, while this one goes on. */
export interface LogSync {
  /**
   * Resolves once every commit up to this time is on the disk; all who wait meanwhile share the next sync. Throws `UnknownOutcome` when
   * the disk fails.
   */
  upTo(committedAt: Instant): Promise<void>;
  /** Throws `StoreFailure` after a sync that failed, for ever. */
  check(): void;
  /** After the last `upTo` has ended. */
  close(): void;
}

/**
 * Syncs the write-ahead log of a database whose connection commits without syncing (`synchronous = NORMAL`) and stays open, so that the
 * log stays the same file. Commits lie in the log in the order of their times, so one sync is good for all that were made before it began.
 *
 * After a sync that failed nobody knows what of the log is on the disk, and the system may answer the next one as if nothing had
 * happened (https://wiki.postgresql.org/wiki/Fsync_Errors). So nothing is confirmed any more until the database is opened again.
 */
export function createLogSync(databasePath: string, syncFile: SyncFile = syncData): LogSync {
  let file: number | undefined;
  let committed: Instant = 0;
  let synced: Instant = 0;
  let running: Promise<void> | undefined;
  let failure: { readonly cause: unknown } | undefined;

  const sync = async (): Promise<void> => {
    const until = committed;
    try {
      file ??= openSync(`${databasePath}-wal`, 'r+');
      await syncFile(file);
      synced = until;
    } catch (cause) {
      failure = { cause };
    } finally {
      running = undefined;
    }
  };

  return {
    upTo: async (committedAt) => {
      committed = Math.max(committed, committedAt);
      while (synced < committedAt) {
        if (failure) throw unknownOutcome(databasePath, failure.cause);
        await (running ??= sync());
      }
    },
    check: () => {
      if (failure) throw mustBeReopened(databasePath, failure.cause);
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

const unknownOutcome = (path: string, cause: unknown): UnknownOutcome =>
  new UnknownOutcome(
    `the disk failed during the commit, which may or may not be there: ${path}: ${String(cause)}`,
    cause,
  );

const mustBeReopened = (path: string, cause: unknown): StoreFailure =>
  new StoreFailure(
    `the disk of ${path} has failed while it was synced: check the disk, then start again what has the database open`,
    cause,
  );
