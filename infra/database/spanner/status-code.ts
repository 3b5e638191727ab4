import { status } from '@grpc/grpc-js';
import {
  AlreadyExists,
  NotFound,
  RefusedValue,
  StoreError,
  StoreFailure,
  UnknownOutcome,
} from '../errors.ts';

/** Spanner's errors are gRPC statuses; where one status means several things the message tells them apart. */
interface Failure {
  readonly code: status | undefined;
  readonly message: string;
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return { code: isStatus(code) ? code : undefined, message };
}

const isStatus = (code: unknown): code is status => typeof code === 'number' && code in status;

/** What no repetition would change, by status and message: a closed list, as a wrong member would dead-letter good events. */
const REFUSED: readonly (readonly [code: status, message: RegExp])[] = [
  [status.FAILED_PRECONDITION, /exceeds the maximum size limit for this column/],
  [status.FAILED_PRECONDITION, /Cannot specify a null value for column/],
  [status.INVALID_ARGUMENT, /exceeds the maximum size limit for this column/],
  [status.INVALID_ARGUMENT, /Number of bytes for key of (?:table|index) .* exceeds the maximum/],
  [status.INVALID_ARGUMENT, /invalid UTF-8/i],
];

/** A row that an update needs, or the parent of an interleaved one. A table or a column that is missing is another matter. */
const MISSING_ROW =
  /\bRow \{.*\} (?:not found|is missing)|\bRow .* in table .* is missing|Parent row .* is missing/s;

const SESSION_GONE = /Session not found/;
/** A connection that broke: gRPC reports it as an internal error. */
const BROKEN_STREAM =
  /Received unexpected EOS|RST_STREAM|HTTP\/2 error code: INTERNAL_ERROR|Connection closed/;

/** The answer of a commit got lost, or was none: what was to be committed may be there. */
const UNCERTAIN: ReadonlySet<status | undefined> = new Set([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

const ADVICE: Readonly<Partial<Record<status, string>>> = {
  [status.NOT_FOUND]: 'check the names of the instance and the database, and that its schema is migrated',
  [status.PERMISSION_DENIED]: 'the service account lacks a permission on the database',
  [status.UNAUTHENTICATED]: 'the credentials are missing or no longer valid',
  [status.RESOURCE_EXHAUSTED]: 'a quota or the compute capacity of the instance is exhausted',
  [status.UNAVAILABLE]: 'Spanner, or the emulator, cannot be reached',
  [status.DEADLINE_EXCEEDED]: 'no answer in time: look at the load of the instance and for hot keys',
};

/** Whether the transaction as a whole may and must be run again: nothing of it was committed. */
export function isAborted(error: unknown): boolean {
  const { code, message } = failureOf(error);
  return code === status.ABORTED || (code === status.NOT_FOUND && SESSION_GONE.test(message));
}

/** The same for a read of a transaction, which has no effect that could be doubled. */
export function isAbortedRead(error: unknown): boolean {
  const { code, message } = failureOf(error);
  return isAborted(error) || (code === status.INTERNAL && BROKEN_STREAM.test(message));
}

/** Sorts what the client library threw into the closed kinds; whatever is not known is a failing store. */
export function toStoreError(error: unknown, database: string): StoreError {
  if (error instanceof StoreError) return error;
  const { code, message } = failureOf(error);
  if (code === status.ALREADY_EXISTS) return new AlreadyExists(message, error);
  if (code === status.NOT_FOUND && MISSING_ROW.test(message)) return new NotFound(message, error);
  if (REFUSED.some(([refused, text]) => code === refused && text.test(message)))
    return new RefusedValue(message, error);
  const advice = code === undefined ? undefined : ADVICE[code];
  return new StoreFailure(`${database}: ${message}${advice === undefined ? '' : ` (${advice})`}`, error);
}

/** The same for the answer to a commit, after which it may not be known whether it happened. */
export function toCommitError(error: unknown, database: string): StoreError {
  if (error instanceof StoreError) return error;
  const { code, message } = failureOf(error);
  if (UNCERTAIN.has(code))
    return new UnknownOutcome(`${database}: the answer of the commit was lost: ${message}`, error);
  return toStoreError(error, database);
}

export const isMalformed = (error: unknown): boolean => failureOf(error).code === status.INVALID_ARGUMENT;

export const isAlreadyThere = (error: unknown): boolean => failureOf(error).code === status.ALREADY_EXISTS;

/** The emulator changes a schema only while nothing else goes on, and says so rather than wait. */
export function isBusyWithAnother(error: unknown): boolean {
  const { code, message } = failureOf(error);
  return code === status.FAILED_PRECONDITION && /concurrent (?:schema change|.*transaction)/i.test(message);
}
