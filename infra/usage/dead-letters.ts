import type { DeadLetterReason } from '#domain/metering/dead-letter.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Instant } from '#domain/instant.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import type { Key, KeyRange } from '#infra/database/table.ts';
import type { DeadLetterName } from './dead-letter-name.ts';
import { deadLetter, type Row } from './tables.ts';

/** Only an open one is closed: by the commit that takes its replay, or by whoever decides that it is not wanted. */
export const DEAD_LETTER_STATES = ['open', 'replayed', 'dismissed'] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/** The stored form, with the message's bytes and attributes. */
export type DeadLetterRow = Row<typeof deadLetter>;

/** Which dead letters are meant; what is left out matches all. */
export interface DeadLetterFilter {
  readonly state: DeadLetterState;
  readonly reason?: DeadLetterReason;
  /** The event's type, as far as it could be read. */
  readonly type?: string;
  /** Received in [from, to). */
  readonly from?: Instant;
  readonly to?: Instant;
}

/** A letter's place in a list: the newest come first. It stays where it is while others come and go. */
export interface DeadLetterPosition extends DeadLetterName {
  readonly receivedAt: Instant;
}

/** A dead letter without its message, of which only the size is told. */
export interface DeadLetter extends DeadLetterName {
  readonly state: DeadLetterState;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  /** Of the event, as far as they could be read, and cut to 256 characters. */
  readonly type: string | null;
  readonly source: string | null;
  readonly eventId: string | null;
  readonly subject: string | null;
  readonly identity: Hash128 | null;
  readonly publishTime: Instant;
  readonly receivedAt: Instant;
  readonly closedAt: Instant | null;
  /** The bytes that are kept. */
  readonly byteLength: number;
  /** The message was too large to be kept whole: it cannot be replayed. */
  readonly isCut: boolean;
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[];
  /** Where the next page goes on; absent at the end. A page may be short, even empty, and not be the last. */
  readonly next?: DeadLetterPosition;
}

/** A list by type looks at the letters of all types, so a page ends after so many, whether it is full or not. */
const LOOKED_AT_PER_PAGE_MAX = 2_000;

/** One page of a namespace's dead letters, the newest first, read in one snapshot. */
export async function listDeadLetters(
  database: Database,
  namespace: string,
  {
    after,
    limit,
    ...filter
  }: DeadLetterFilter & { readonly after?: DeadLetterPosition; readonly limit: number },
): Promise<DeadLetterPage> {
  return inSnapshot(database, async (snapshot) => {
    const letters: DeadLetter[] = [];
    let lookedAt = 0;
    let last = after;
    for await (const row of scanDeadLetters(snapshot, namespace, {
      ...filter,
      ...(after ? { after } : {}),
    })) {
      if (last !== undefined && (letters.length >= limit || lookedAt >= LOOKED_AT_PER_PAGE_MAX))
        return { letters, next: last };
      lookedAt++;
      last = positionOfLetter(row);
      if (matchesType(row, filter)) letters.push(toDeadLetter(row));
    }
    return { letters };
  });
}

/** One dead letter with its message; undefined when the namespace has no such letter. */
export async function readDeadLetter(
  from: Reads,
  namespace: string,
  { feed, messageId }: DeadLetterName,
): Promise<DeadLetterRow | undefined> {
  const [row] = await from.read(deadLetter, [[feed, messageId]]);
  return row?.namespace === namespace ? row : undefined;
}

export const positionOfLetter = ({ receivedAt, feed, messageId }: DeadLetterRow): DeadLetterPosition => ({
  receivedAt,
  feed,
  messageId,
});

export const matchesType = (row: DeadLetterRow, { type }: Pick<DeadLetterFilter, 'type'>): boolean =>
  type === undefined || row.type === type;

/** The letters of a filter from a position on, the newest first; those of every type. */
export async function* scanDeadLetters(
  from: Reads,
  namespace: string,
  { after, ...filter }: DeadLetterFilter & { readonly after?: DeadLetterPosition },
): AsyncGenerator<DeadLetterRow> {
  const { state, reason } = filter;
  const index = reason === undefined ? 'byTime' : 'byReason';
  const prefix: Key = reason === undefined ? [namespace, state] : [namespace, state, reason];
  for (const range of rangesAfter(prefix, filter, after))
    yield* from.scan(deadLetter, range, { index, reverse: true });
}

/** Backwards, the end of a range is what comes first: so a page goes on exactly before the last letter of the one before. */
function rangesAfter(
  prefix: Key,
  { from, to }: Pick<DeadLetterFilter, 'from' | 'to'>,
  after: DeadLetterPosition | undefined,
): KeyRange[] {
  const since = from === undefined ? {} : { from };
  if (after === undefined) return [{ prefix, ...since, ...(to === undefined ? {} : { to }) }];
  const { receivedAt, feed, messageId } = after;
  return [
    { prefix: [...prefix, receivedAt, feed], to: messageId },
    { prefix: [...prefix, receivedAt], to: feed },
    { prefix, ...since, to: receivedAt },
  ];
}

export const toDeadLetter = (row: DeadLetterRow): DeadLetter => ({
  feed: row.feed,
  messageId: row.messageId,
  state: row.state as DeadLetterState,
  reason: row.reason as DeadLetterReason,
  detail: row.detail,
  type: row.type,
  source: row.source,
  eventId: row.eventId,
  subject: row.subject,
  identity: row.identity,
  publishTime: row.publishTime,
  receivedAt: row.receivedAt,
  closedAt: row.closedAt,
  byteLength: row.bytes.length,
  isCut: row.bytesHash !== null,
});
