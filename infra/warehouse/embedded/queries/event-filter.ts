import { dayStart } from '#domain/instant.ts';
import {
  readEventScope,
  SHARD_DIGITS,
  type EventScope,
  type SubjectShard,
} from '../../questions/event-scope.ts';
import type { Parameters } from '../../questions/parameters.ts';
import type { Bindings } from '../engine.ts';
import { boundInteger, boundText, boundTexts } from './bindings.ts';
import { windowStart } from './windows.ts';

/** Which events a question is about, as conditions on `events` and the values they name. */
export interface EventFilter extends EventScope {
  /**
   * Conditions that all copies, voids and restores of an event meet alike: namespace, subjects, UTC days. With `at` also that they were
   * committed by then, which makes the exact view that of then.
   */
  readonly placed: string;
  /** The further conditions that only its accepted copies need to meet: the exact range, type, meter. */
  readonly chosen: string;
  readonly bindings: Bindings;
}

/** Reads what `readEventScope` reads. */
export function eventFilter(parameters: Parameters): EventFilter {
  const scope = readEventScope(parameters);
  const { namespace, from, to, days, type, at } = scope;
  const subjects = subjectCondition(scope.subjects);
  const meters = meterCondition(scope.meters);
  const shard = shardCondition(scope.shard);
  return {
    ...scope,
    placed: `namespace = $namespace AND time >= $dayFrom AND time < $dayTo${subjects.condition}${shard.condition}${
      at === undefined ? '' : ' AND committed_at <= $at'
    }`,
    chosen: `time >= $from AND time < $to${type === undefined ? '' : ' AND type = $type'}${meters.condition}`,
    bindings: {
      namespace: boundText(namespace),
      dayFrom: boundInteger(dayStart(days.from)),
      dayTo: boundInteger(dayStart(days.to + 1)),
      from: boundInteger(from),
      to: boundInteger(to),
      ...subjects.bindings,
      ...shard.bindings,
      ...(type === undefined ? {} : { type: boundText(type) }),
      ...meters.bindings,
      ...(at === undefined ? {} : { at: boundInteger(at) }),
    },
  };
}

interface Condition {
  readonly condition: string;
  readonly bindings: Bindings;
}

const NO_CONDITION: Condition = { condition: '', bindings: {} };

function meterCondition(meters: readonly string[] | undefined): Condition {
  if (meters === undefined) return NO_CONDITION;
  const conditions = meters.map((_, index) => `contains(matched_meters, $meter${index})`);
  return {
    condition: ` AND (${conditions.join(' OR ')})`,
    // Meter keys hold neither quotes nor backslashes: between its quotes one is found in the JSON list as a whole or not at all.
    bindings: Object.fromEntries(
      meters.map((label, index) => [`meter${index}`, boundText(JSON.stringify(label))]),
    ),
  };
}

const SHARD_HASH = `CAST('0x' || substr(sha1(subject), 1, ${SHARD_DIGITS}) AS UBIGINT)`;

const shardCondition = (shard: SubjectShard | undefined): Condition =>
  shard === undefined
    ? NO_CONDITION
    : {
        condition: ` AND ${SHARD_HASH} % $shards = $shard`,
        bindings: { shard: boundInteger(shard.shard), shards: boundInteger(shard.shards) },
      };

function subjectCondition(subjects: readonly string[] | undefined): Condition {
  const [first] = subjects ?? [];
  const last = subjects?.at(-1);
  if (subjects === undefined || first === undefined || last === undefined) return NO_CONDITION;
  if (subjects.length === 1)
    return { condition: ' AND subject = $subject', bindings: { subject: boundText(first) } };
  return {
    // The range lets the engine skip what a list does not.
    condition:
      ' AND subject >= $firstSubject AND subject <= $lastSubject AND list_contains($subjects, subject)',
    bindings: {
      firstSubject: boundText(first),
      lastSubject: boundText(last),
      subjects: boundTexts(subjects),
    },
  };
}

/** Where an identity is looked for. It may be used again once its event row has expired, on another day: that is another event. */
const PLACE = `identity_high, identity_low, subject, ${windowStart('day')}`;

/** What the exact view itself needs of each copy, beside the columns that are asked for. */
const PLACE_COLUMNS = 'identity_high, identity_low, subject, time, committed_at, published_at';

/**
 * `exact`: each counted event once, with these `columns`. An accepted event counts unless there is a later void; a restore undoes the
 * voids before it. Of its copies the one published first stands for it. Columns may be expressions: what is small is carried through
 * the search for copies at a fraction of the cost of whole events.
 */
export const exactEvents = ({ placed, chosen }: EventFilter, columns: string): string => `
voided AS (
  SELECT identity_high, identity_low, subject, ${windowStart('day')} AS day, max(committed_at) AS voided_at
  FROM events WHERE outcome IN ('void', 'restored') AND ${placed}
  GROUP BY ALL HAVING arg_max(outcome, committed_at) = 'void'
),
copies AS (
  SELECT ${PLACE_COLUMNS}, ${columns} FROM events WHERE outcome = 'accepted' AND ${placed} AND ${chosen}
),
firsts AS (
  SELECT * FROM copies QUALIFY row_number() OVER (PARTITION BY ${PLACE} ORDER BY published_at) = 1
),
exact AS (
  SELECT * FROM firsts ANTI JOIN voided ON firsts.identity_high = voided.identity_high AND firsts.identity_low = voided.identity_low
    AND firsts.subject = voided.subject AND ${windowStart('day', 'firsts.time')} = voided.day AND firsts.committed_at < voided.voided_at
)`;
