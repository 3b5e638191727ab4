import { AlreadyExists, RefusedValue, StoreError, StoreFailure } from '#infra/database/errors.ts';

/** SQLite's result codes (https://sqlite.org/rescode.html), as far as the driver tells them apart. */
const SQLITE_BUSY = 5;
export const SQLITE_IOERR = 10;
const PRIMARY_CODE_BITS = 0xff;

/** SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE and _ROWID. */
const TAKEN: ReadonlySet<number> = new Set([1555, 2067, 2579]);
/** SQLITE_TOOBIG, SQLITE_MISMATCH, SQLITE_CONSTRAINT_CHECK, _NOTNULL and _DATATYPE: closed, as a wrong member would dead-letter good events. */
const REFUSED: ReadonlySet<number> = new Set([18, 20, 275, 1299, 3091]);

const ADVICE: Readonly<Record<number, string>> = {
  1: 'the file does not have the tables or columns this release expects; check its migrations',
  3: 'access was denied; check the permissions of the file and its directory',
  5: 'another process holds the lock; look for a long transaction',
  6: 'another connection holds the lock; look for a long transaction',
  7: 'out of memory',
  8: 'the file or its directory is read-only; make it writable, the store then goes on',
  10: 'reading or writing the disk failed; check the disk, the store then goes on',
  11: 'the file is damaged; restore it from a backup',
  13: 'the disk, or the bound on the size of the file, is full; make room, the store then goes on',
  14: 'the file cannot be opened; check that its directory exists and may be written',
  23: 'access was denied; check the permissions of the file and its directory',
  26: 'the file is not a database; check the path, or restore it from a backup',
};

/** The extended result code, or undefined when the error is not SQLite's. */
export function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

export const primaryCodeOf = (error: unknown): number | undefined => {
  const code = resultCodeOf(error);
  return code === undefined ? undefined : code & PRIMARY_CODE_BITS;
};

export const isBusy = (error: unknown): boolean => primaryCodeOf(error) === SQLITE_BUSY;

/** Sorts what node:sqlite threw into the closed kinds; whatever is not known is a failing store. */
export function toStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = resultCodeOf(error);
  if (code !== undefined && TAKEN.has(code)) return new AlreadyExists(message, error);
  if (code !== undefined && REFUSED.has(code)) return new RefusedValue(message, error);
  const advice = ADVICE[(code ?? 0) & PRIMARY_CODE_BITS];
  return new StoreFailure(`${path}: ${message}${advice === undefined ? '' : ` (${advice})`}`, error);
}
