import { QueryFailed, WarehouseLimitExceeded, WarehouseUnavailable } from '../errors.ts';

/** Codes of gRPC that say something about the call, the table or us: the same call would fail again. */
const LASTING_CODES: ReadonlySet<number> = new Set([
  3, // INVALID_ARGUMENT
  5, // NOT_FOUND
  7, // PERMISSION_DENIED
  9, // FAILED_PRECONDITION
  11, // OUT_OF_RANGE
  12, // UNIMPLEMENTED
  16, // UNAUTHENTICATED
]);

/** The code of an error of a client: of gRPC for appends, of HTTP for queries. */
export function codeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'number' ? code : undefined;
}

/** Whether an append that failed so may succeed when it is tried again. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined || !LASTING_CODES.has(code);
}

/** Whether the connection ended before an answer came, as one does that the server found idle just when it was used again. */
export const isCutOff = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  (error.code === 'ECONNRESET' || error.code === 'EPIPE');

/** The question cannot be answered exactly, or not at all; BigQuery says so after it has understood it. */
const FAILED_REASONS: ReadonlySet<string> = new Set(['invalidQuery', 'invalid']);
/** The answer, or the way to it, is larger than BigQuery or a setting of ours allows. */
const LIMIT_REASONS: ReadonlySet<string> = new Set([
  'bytesBilledLimitExceeded',
  'responseTooLarge',
  'resourcesExceeded',
]);

/** A failed query as an error of the port. */
export function queryFailure(name: string, error: unknown): Error {
  const message = `query ${name}: ${error instanceof Error ? error.message : String(error)}`;
  const reason = reasonOf(error);
  if (FAILED_REASONS.has(reason)) return new QueryFailed(message, { cause: error });
  if (LIMIT_REASONS.has(reason)) return new WarehouseLimitExceeded(message, { cause: error });
  return new WarehouseUnavailable(message, { cause: error });
}

/** The service's own word for what went wrong; empty where it has none. */
export function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('errors' in error)) return '';
  const [first] = Array.isArray(error.errors) ? (error.errors as unknown[]) : [];
  if (typeof first !== 'object' || first === null || !('reason' in first)) return '';
  return typeof first.reason === 'string' ? first.reason : '';
}
