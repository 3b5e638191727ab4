import { hash } from 'node:crypto';
import { dayOf, type DayIndex, type Instant } from '#domain/instant.ts';
import { QueryRefused } from '../errors.ts';
import type { Parameters } from './parameters.ts';

export const SUBJECTS_PER_QUERY_MAX = 1_000;
export const METERS_PER_QUERY_MAX = 200;

/** UTC days, both inclusive. */
export interface DayRange {
  readonly from: DayIndex;
  readonly to: DayIndex;
}

/**
 * One of so many parts of all subjects, dealt out by the first 32 bits of the SHA-1 of their names: by `shardOf` as by every driver. All copies,
 * voids and restores of an event are its subject's, so the exact view of a shard is the shard of the exact view.
 */
export interface SubjectShard {
  readonly shard: number;
  readonly shards: number;
}

/** Which shard a subject is in. */
export const shardOf = (subject: string, shards: number): number =>
  shards === 1 ? 0 : Number.parseInt(hash('sha1', subject, 'hex').slice(0, SHARD_DIGITS), 16) % shards;

/** Hex digits of a subject's hash that say which shard it is in. */
export const SHARD_DIGITS = 8;
export const SHARDS_PER_QUESTION_MAX = 1_000;

/** Which events a question is about. */
export interface EventScope {
  readonly namespace: string;
  /** Of the events' time: [from, to). */
  readonly from: Instant;
  readonly to: Instant;
  /** The days that the range touches: all copies, voids and restores of an event lie on the day of the event. */
  readonly days: DayRange;
  /** Each once, in the order of their UTF-8 bytes; undefined for all. */
  readonly subjects: readonly string[] | undefined;
  readonly type: string | undefined;
  /** Only subjects of one shard; undefined for all. */
  readonly shard: SubjectShard | undefined;
  /** Counted by any of these, as `key@generation`; undefined for all events, also those that no meter counted. */
  readonly meters: readonly string[] | undefined;
  /** The commit time as of which the view is wanted. */
  readonly at: Instant | undefined;
}

/**
 * Reads `namespace`, `from`, `to` (a range [from, to)), `subjects`, `shard` of `shards`, `type`, `meter` (as `key@generation`) or several of them as `meters`, and
 * `at`: the commit time as of which the view is wanted. Throws `QueryRefused`.
 */
export function readEventScope(parameters: Parameters): EventScope {
  const namespace = parameters.text('namespace');
  const from = parameters.instant('from');
  const to = parameters.instant('to');
  if (to <= from) throw new QueryRefused('the range is empty: to is not after from');
  return {
    namespace,
    from,
    to,
    days: { from: dayOf(from), to: dayOf(to - 1) },
    subjects: distinctSubjects(parameters.optionalTexts('subjects')),
    type: parameters.optionalText('type'),
    shard: wantedShard(parameters.optionalPlace('shard'), parameters.optionalCount('shards')),
    meters: wantedMeters(parameters.optionalText('meter'), parameters.optionalTexts('meters')),
    at: parameters.optionalInstant('at'),
  };
}

function wantedShard(shard: number | undefined, shards: number | undefined): SubjectShard | undefined {
  if (shard === undefined && shards === undefined) return undefined;
  if (shard === undefined || shards === undefined) throw new QueryRefused('shard and shards go together');
  if (shard >= shards) throw new QueryRefused(`there is no shard ${shard} of ${shards}`);
  if (shards > SHARDS_PER_QUESTION_MAX)
    throw new QueryRefused(`${shards} shards, the limit is ${SHARDS_PER_QUESTION_MAX}`);
  return shards === 1 ? undefined : { shard, shards };
}

function wantedMeters(
  meter: string | undefined,
  meters: readonly string[] | undefined,
): readonly string[] | undefined {
  if (meter !== undefined && meters !== undefined)
    throw new QueryRefused('meter and meters do not go together');
  const wanted = meters ?? (meter === undefined ? undefined : [meter]);
  if (wanted === undefined) return undefined;
  if (wanted.length === 0) throw new QueryRefused('the list of meters is empty');
  if (wanted.length > METERS_PER_QUERY_MAX)
    throw new QueryRefused(`${wanted.length} meters in a query, the limit is ${METERS_PER_QUERY_MAX}`);
  return wanted;
}

function distinctSubjects(subjects: readonly string[] | undefined): readonly string[] | undefined {
  if (subjects === undefined) return undefined;
  const sorted = [...new Set(subjects)].sort(byUtf8);
  if (sorted.length === 0) throw new QueryRefused('the list of subjects is empty');
  if (sorted.length > SUBJECTS_PER_QUERY_MAX)
    throw new QueryRefused(`${sorted.length} subjects in a query, the limit is ${SUBJECTS_PER_QUERY_MAX}`);
  return sorted;
}

/** The order that warehouses compare strings in is that of their UTF-8 bytes. */
const byUtf8 = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
