import { StoreFailure, UnknownOutcome } from '#infra/database/errors.ts';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import { isProblemCode, PROBLEM_CODES } from './problem-codes.ts';
import { Problem, type Violation } from './problem.ts';

const RETRY_AFTER = { 'Retry-After': '1' };

/**
 * What a caller is told of an error. Errors of our own rules carry the code of their problem; a store that does not answer is 503; an
 * error of the HTTP layer keeps its status; everything else is ours to find in the log.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isStoreDown(error))
    return new Problem('store_unavailable', 'a store does not answer now', {
      headers: RETRY_AFTER,
      cause: error,
    });
  return ruleProblem(error) ?? httpProblem(error) ?? internalProblem(error);
}

/** After an unknown outcome the same request finds what it wrote, so the caller is told the same. */
const isStoreDown = (error: unknown): boolean =>
  error instanceof StoreFailure ||
  error instanceof UnknownOutcome ||
  error instanceof TopicUnavailable ||
  error instanceof WarehouseUnavailable;

const internalProblem = (cause: unknown): Problem =>
  new Problem('internal_error', 'the request failed for a reason on our side', { cause });

interface RuleError extends Error {
  readonly code: string;
  readonly violations?: readonly Violation[];
}

function ruleProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('code' in error) || !isProblemCode(error.code)) return undefined;
  const { violations = [] } = error as RuleError;
  const headers = PROBLEM_CODES[error.code].status === 503 ? RETRY_AFTER : {};
  return new Problem(error.code, error.message, { violations, headers });
}

/** Express and its body parser say by `type` and `status` what was wrong with the request itself. */
function httpProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  if (error.status === 413) return new Problem('too_large', 'the body is larger than this call takes');
  if (error.status === 415)
    return new Problem(
      'unsupported_media_type',
      'the Content-Encoding is none of gzip, deflate, br, identity',
    );
  if (error.status >= 400 && error.status < 500)
    return new Problem('invalid_request', `the request cannot be read: ${error.message}`);
  return undefined;
}
