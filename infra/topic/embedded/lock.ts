import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;
const POLL_MS = 20;
/** Longer than it takes to read what a crash can leave behind. */
const MAX_POLLS = 3_000;

export interface Lock {
  release(): void;
}
export type Pause = (ms: number) => Promise<void>;

const lockPath = (directory: string, name: string): string => join(directory, `${name}.lock`);

/**
 * Undefined while another process or handle holds the lock of that name. It is an open transaction on an empty SQLite file: the
 * operating system ends it with the process, whatever the process dies of, and unlike a process id it is never taken for a stranger's.
 */
export function tryLock(directory: string, name: string): Lock | undefined {
  const database = new DatabaseSync(lockPath(directory, name), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

/** Undefined if the lock was not free for a minute. */
export async function waitForLock(directory: string, name: string, pause: Pause): Promise<Lock | undefined> {
  let lock = tryLock(directory, name);
  for (let polls = 0; lock === undefined && polls < MAX_POLLS; polls++) {
    await pause(POLL_MS);
    lock = tryLock(directory, name);
  }
  return lock;
}

/** Only for a name that is never used again, while nobody can wait for it. */
export async function removeLock(directory: string, name: string): Promise<void> {
  await rm(lockPath(directory, name), { force: true });
}
