import { status } from '@grpc/grpc-js';
import { TopicLimitExceeded, TopicUnavailable } from '../errors.ts';

/** Whether an error is of the server, or of the way to it, with that status. */
export const hasStatus = (error: unknown, expected: status): boolean =>
  error instanceof Error && 'code' in error && error.code === expected;

const explain = (what: string, error: unknown): string =>
  `cannot ${what}: ${error instanceof Error ? error.message : String(error)}`;

/** Of a call that a later one may succeed in: what is missing may be made, what is forbidden allowed, what is down may come back. */
export const unavailable = (what: string, error: unknown): TopicUnavailable =>
  error instanceof TopicUnavailable ? error : new TopicUnavailable(explain(what, error), { cause: error });

/** Whether the server will never take these messages, whoever sends them when. */
export const isRefused = (error: unknown): boolean => hasStatus(error, status.INVALID_ARGUMENT);

export const publishFailure = (error: unknown): TopicUnavailable | TopicLimitExceeded =>
  isRefused(error)
    ? new TopicLimitExceeded(explain('publish', error), { cause: error })
    : unavailable('publish', error);
