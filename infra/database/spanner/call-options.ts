import type { protos } from '@google-cloud/spanner';
import { StoreFailure } from '../errors.ts';

/** What goes with every call of somebody: none of it changes what is stored. */
export interface CallOptions {
  /** Work that nobody waits for steps aside when the instance is busy; Spanner's default is high. */
  readonly priority?: 'low' | 'medium' | 'high';
  /** Who asks, in Spanner's statistics of reads, queries and transactions. */
  readonly tag?: string;
  /** How long Spanner may hold a commit back to write it together with others: cheaper, and later. Without it, not at all. */
  readonly commitDelayMs?: number;
  /** How long the answer of a commit is waited for, before its outcome is called unknown; 30 s without it. */
  readonly commitTimeoutMs?: number;
}

export type RequestOptions = protos.google.spanner.v1.IRequestOptions;

/** Spanner's own bounds. */
const TAG_CHARS_MAX = 50;
const COMMIT_DELAY_MS_MAX = 500;

const PRIORITIES = { low: 'PRIORITY_LOW', medium: 'PRIORITY_MEDIUM', high: 'PRIORITY_HIGH' } as const;

export function checkCallOptions({ tag, commitDelayMs }: CallOptions): void {
  if (tag !== undefined && (tag.length > TAG_CHARS_MAX || !/^[\x20-\x7e]+$/.test(tag)))
    throw new StoreFailure(`a tag has 1 to ${TAG_CHARS_MAX} printable ASCII characters: ${tag}`);
  if (commitDelayMs === undefined) return;
  if (!Number.isInteger(commitDelayMs) || commitDelayMs < 0 || commitDelayMs > COMMIT_DELAY_MS_MAX)
    throw new StoreFailure(`a commit is delayed by 0 to ${COMMIT_DELAY_MS_MAX} ms, not ${commitDelayMs}`);
}

const priorityOf = ({ priority }: CallOptions): RequestOptions =>
  priority === undefined ? {} : { priority: PRIORITIES[priority] };

export const readRequestOptions = (options: CallOptions): RequestOptions => ({
  ...priorityOf(options),
  ...(options.tag === undefined ? {} : { requestTag: options.tag }),
});

export const transactionTagOf = ({ tag }: CallOptions): Pick<RequestOptions, 'transactionTag'> =>
  tag === undefined ? {} : { transactionTag: tag };

const NANOS_PER_MILLI = 1_000_000;

export const commitRequestOptions = (options: CallOptions) => ({
  requestOptions: priorityOf(options),
  ...(options.commitDelayMs === undefined
    ? {}
    : { maxCommitDelay: { seconds: 0, nanos: options.commitDelayMs * NANOS_PER_MILLI } }),
});
