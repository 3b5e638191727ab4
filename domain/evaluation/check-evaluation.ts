import { isTimeZone } from '../calendar/time-zone.ts';
import { EVALUATION_EVENTS_MAX } from '../limits.ts';
import { checkMeter, type MeterDefinition } from '../metering/meter.ts';
import { parsePlainDecimal } from '../metering/quantity.ts';
import { GROUP_BY_SUBJECT, UsageQueryError, usageQuery } from '../usage/usage-query.ts';
import type { Violation } from '../violation.ts';
import type { EvaluatedMeter, Evaluation, EvaluationQuery } from './evaluation.ts';

/** Stands for the type of a meter that is of every event. */
export const ANY_EVENT_TYPE = 'any';
const METER_NAME = 'evaluated';
/** More decimals than a quantity has would round nothing, and it has no more than so many digits before the point. */
export const ROUNDING_SCALE_MAX = 20;

/** The definition that a saved meter would have. In other systems' tables a count has a value too, which says nothing. */
export const definitionOf = (meter: EvaluatedMeter): MeterDefinition => ({
  ...meter,
  value: meter.aggregation === 'count' ? undefined : meter.value,
  name: METER_NAME,
  eventType: meter.eventType ?? ANY_EVENT_TYPE,
});

/** All that is wrong with a question, at once; empty when it can be evaluated. What is wrong with an event is not: that event is refused. */
export function checkEvaluation({ meter, events, query }: Evaluation): Violation[] {
  return [
    ...checkMeter(definitionOf(meter)).map((violation) => ({
      ...violation,
      pointer: `/meter${violation.pointer}`,
    })),
    ...checkEventCount(events.length),
    ...checkRange(query),
    ...(isTimeZone(query.timezone)
      ? []
      : [violation('/query/timezone', 'unknown_time_zone', 'is not an IANA time zone')]),
    ...checkDimensions(meter, query),
    ...checkInitialLevel(meter, query),
    ...checkRounding(query),
  ];
}

const violation = (pointer: string, code: string, message: string): Violation => ({ pointer, code, message });

const checkEventCount = (count: number): Violation[] =>
  count > EVALUATION_EVENTS_MAX
    ? [violation('/events', 'too_many_events', `has more than ${EVALUATION_EVENTS_MAX} events`)]
    : [];

/** The range is judged by the query itself, apart from everything else that may be wrong with it. */
function checkRange({ from, to }: EvaluationQuery): Violation[] {
  try {
    usageQuery({ aggregation: 'count', from, to, window: 'none', timezone: 'UTC', rolledThrough: -1 });
    return [];
  } catch (error) {
    if (!(error instanceof UsageQueryError)) throw error;
    return [violation('/query/to', error.code, error.message)];
  }
}

function checkDimensions({ dimensions = {} }: EvaluatedMeter, query: EvaluationQuery): Violation[] {
  const { groupBy = [], filter = {} } = query;
  const unknown = (name: string): boolean => !Object.hasOwn(dimensions, name);
  const refuse = (pointer: string, name: string): Violation =>
    violation(pointer, 'unknown_dimension', `the meter has no dimension ${JSON.stringify(name)}`);
  return [
    ...groupBy.flatMap((name, at) =>
      name !== GROUP_BY_SUBJECT && unknown(name) ? [refuse(`/query/groupBy/${at}`, name)] : [],
    ),
    ...Object.keys(filter)
      .filter(unknown)
      .map((name) => refuse('/query/filter', name)),
  ];
}

function checkInitialLevel({ aggregation }: EvaluatedMeter, query: EvaluationQuery): Violation[] {
  if (query.initialLevel === undefined) return [];
  const refuse = (code: string, message: string): Violation =>
    violation('/query/initialLevel', code, message);
  const level = parsePlainDecimal(query.initialLevel);
  return [
    ...(typeof level === 'string'
      ? [refuse(level, 'is a plain decimal of at most 20 digits before and 18 after the point')]
      : []),
    ...(aggregation === 'timeWeightedSum'
      ? []
      : [refuse('level_not_used', 'only a timeWeightedSum has a level: leave it out')]),
    ...(query.groupBy?.length
      ? [refuse('level_of_groups', 'one level cannot be told apart by groups: leave out groupBy or it')]
      : []),
  ];
}

function checkRounding({ rounding }: EvaluationQuery): Violation[] {
  if (!rounding) return [];
  const { scale } = rounding;
  if (Number.isInteger(scale) && Math.abs(scale) <= ROUNDING_SCALE_MAX) return [];
  return [
    violation(
      '/query/rounding/scale',
      'out_of_range',
      `is a whole number between -${ROUNDING_SCALE_MAX} and ${ROUNDING_SCALE_MAX}`,
    ),
  ];
}
