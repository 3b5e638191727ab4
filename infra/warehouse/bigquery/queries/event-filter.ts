import { dayStart } from '#domain/instant.ts';
import {
  readEventScope,
  SHARD_DIGITS,
  type EventScope,
  type SubjectShard,
} from '../../questions/event-scope.ts';
import type { Parameters } from '../../questions/parameters.ts';
import { boundText, boundTexts, boundTime, type SqlParameters } from './sql-parameters.ts';

/** Which events a question is about, as conditions on `events` and the values they name. */
export interface EventFilter extends EventScope {
  /**
   * Conditions that all copies, voids and restores of an event meet alike: namespace, subjects, UTC days. They are what a partition or a
   * block is passed over by. With `at` also that they were committed by then, which makes the exact view that of then.
   */
  readonly placed: string;
  /** The further conditions that only its accepted copies need to meet: the exact range, type, meter. */
  readonly chosen: string;
  readonly values: SqlParameters;
}

interface Condition {
  readonly condition: string;
  readonly values: SqlParameters;
}

const NO_CONDITION: Condition = { condition: '', values: {} };

/** Reads what `readEventScope` reads. */
export function eventFilter(parameters: Parameters): EventFilter {
  const scope = readEventScope(parameters);
  const { namespace, from, to, days, type, at } = scope;
  const subjects = subjectCondition(scope.subjects);
  const meters = meterCondition(scope.meters);
  const shard = shardCondition(scope.shard);
  return {
    ...scope,
    placed: `namespace = @namespace AND time >= @dayFrom AND time < @dayAfter${subjects.condition}${shard.condition}${
      at === undefined ? '' : ' AND committed_at <= @at'
    }`,
    chosen: `time >= @from AND time < @to${type === undefined ? '' : ' AND type = @type'}${meters.condition}`,
    values: {
      namespace: boundText(namespace),
      dayFrom: boundTime(dayStart(days.from)),
      dayAfter: boundTime(dayStart(days.to + 1)),
      from: boundTime(from),
      to: boundTime(to),
      ...subjects.values,
      ...shard.values,
      ...(type === undefined ? {} : { type: boundText(type) }),
      ...meters.values,
      ...(at === undefined ? {} : { at: boundTime(at) }),
    },
  };
}

const SHARD_HASH = `CAST(CONCAT('0x', SUBSTR(TO_HEX(SHA1(subject)), 1, ${SHARD_DIGITS})) AS INT64)`;

const shardCondition = (shard: SubjectShard | undefined): Condition =>
  shard === undefined
    ? NO_CONDITION
    : {
        condition: ` AND MOD(${SHARD_HASH}, CAST(@shards AS INT64)) = CAST(@shard AS INT64)`,
        values: { shard: boundText(String(shard.shard)), shards: boundText(String(shard.shards)) },
      };

function subjectCondition(subjects: readonly string[] | undefined): Condition {
  const [first] = subjects ?? [];
  const last = subjects?.at(-1);
  if (subjects === undefined || first === undefined || last === undefined) return NO_CONDITION;
  if (subjects.length === 1)
    return { condition: ' AND subject = @subject', values: { subject: boundText(first) } };
  return {
    // The range passes over blocks that the list alone might not.
    condition: ' AND subject >= @firstSubject AND subject <= @lastSubject AND subject IN UNNEST(@subjects)',
    values: {
      firstSubject: boundText(first),
      lastSubject: boundText(last),
      subjects: boundTexts(subjects),
    },
  };
}

function meterCondition(meters: readonly string[] | undefined): Condition {
  const [first] = meters ?? [];
  if (meters === undefined || first === undefined) return NO_CONDITION;
  if (meters.length === 1)
    return { condition: ' AND @meter IN UNNEST(matched_meters)', values: { meter: boundText(first) } };
  return {
    condition: ' AND EXISTS (SELECT 1 FROM UNNEST(matched_meters) AS label WHERE label IN UNNEST(@meters))',
    values: { meters: boundTexts(meters) },
  };
}
