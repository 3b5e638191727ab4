import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Decimal } from 'decimal.js';
import type { Instant } from '#domain/instant.ts';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';

/** Usage as other systems' tests have it, put as questions to the calculator of usage, in the shape that its route takes. */

type Properties = Readonly<Record<string, string | null>>;

interface AggregateVector {
  readonly id: string;
  readonly kind: 'aggregate';
  readonly source: string;
  readonly system: string;
  readonly aggregation: string;
  readonly value_property: string | null;
  readonly events: readonly {
    readonly at: string;
    readonly stored_at?: string;
    readonly id?: string;
    readonly source?: string;
    readonly subject?: string;
    readonly properties: Properties;
  }[];
  readonly query: {
    readonly from: string;
    readonly to: string;
    readonly window: string | null;
    readonly timezone: string;
    readonly group_by: readonly string[];
    readonly filter: Readonly<Record<string, readonly string[]>>;
    readonly stored_at?: Readonly<Partial<Record<'lt' | 'lte' | 'gt' | 'gte', string>>>;
    readonly carry_over?: boolean;
    readonly initial_level?: string;
  };
  readonly empty_is_zero?: boolean;
  readonly floor_at_zero?: boolean;
  readonly window_alignment?: 'widen';
  readonly expected: {
    readonly value?: string | null;
    readonly compare_scale?: string;
    readonly rows?: readonly { from: string; to: string; value: string }[];
    readonly groups?: readonly { key: Properties; value: string }[];
  };
}

interface RoundingVector {
  readonly id: string;
  readonly kind: 'round_units';
  readonly source: string;
  readonly input: { readonly value: string; readonly function: string | null; readonly scale?: string };
  readonly expected: { readonly value: string };
}

export type AggregationVector = AggregateVector | RoundingVector;

export const aggregationVectors = JSON.parse(
  readFileSync(new URL('./aggregation.json', import.meta.url), 'utf8'),
) as AggregationVector[];

/** Cases that are answered otherwise here, with our value. */
export const DEVIATIONS: Readonly<Record<string, { readonly value: string; readonly reason: string }>> = {
  'agg-057': {
    value: '1',
    reason:
      'unique is the number of values that events of the range name; there is no set that lasts from an earlier range',
  },
  'agg-062': {
    value: '1',
    reason:
      'unique is the number of values that events of the range name; no event takes a value out of a set again',
  },
};

const AGGREGATIONS: Readonly<Record<string, string>> = {
  avg: 'average',
  unique_count: 'unique',
  weighted_sum: 'timeWeightedSum',
};

/** The body of `POST /v1/usage/evaluate` that asks what a case asks. */
export function evaluationOf(vector: AggregationVector): EvaluationBody {
  return vector.kind === 'round_units' ? roundingQuestion(vector) : aggregateQuestion(vector);
}

export interface EvaluationBody {
  readonly meter: {
    readonly aggregation: string;
    readonly value?: string;
    readonly dimensions?: Readonly<Record<string, string>>;
  };
  readonly events: readonly {
    readonly id?: string;
    readonly source?: string;
    readonly subject?: string;
    readonly time: string;
    readonly storedAt?: string;
    readonly data: unknown;
  }[];
  readonly query: Readonly<Record<string, unknown>> & {
    readonly from: string;
    readonly to: string;
    readonly window: string;
    readonly timezone: string;
  };
}

function aggregateQuestion(vector: AggregateVector): EvaluationBody {
  const { value_property: value, events, query } = vector;
  const aggregation = AGGREGATIONS[vector.aggregation] ?? vector.aggregation;
  const dimensions = [...query.group_by, ...Object.keys(query.filter)].filter((name) => name !== 'subject');
  return {
    meter: {
      aggregation,
      ...(value === null || aggregation === 'count' ? {} : { value }),
      dimensions: Object.fromEntries(dimensions.map((name) => [name, name])),
    },
    events: events.map(({ at, stored_at: storedAt, properties, ...named }) => ({
      ...named,
      time: at,
      ...(storedAt === undefined ? {} : { storedAt }),
      data: properties,
    })),
    query: {
      from: query.from,
      to: query.to,
      window: (query.window ?? 'none').toLowerCase(),
      timezone: query.timezone,
      groupBy: query.group_by,
      filter: query.filter,
      ...storedWithin(query.stored_at ?? {}),
      ...(aggregation === 'timeWeightedSum' ? levelOf(query) : {}),
      ...rulesOf(vector),
    },
  };
}

/** Bounds of which the upper is exclusive and the lower inclusive; the others lie a microsecond further. */
function storedWithin(bounds: NonNullable<AggregateVector['query']['stored_at']>): Record<string, string> {
  const { lt, lte, gt, gte } = bounds;
  const after = (time: string): string => formatInstant(at(time) + 1);
  return {
    ...(lt === undefined ? {} : { storedBefore: lt }),
    ...(lte === undefined ? {} : { storedBefore: after(lte) }),
    ...(gte === undefined ? {} : { storedFrom: gte }),
    ...(gt === undefined ? {} : { storedFrom: after(gt) }),
  };
}

/** A level that does not carry over begins at a given one, or at 0. */
function levelOf({ carry_over: carries, initial_level: level }: AggregateVector['query']): object {
  if (level !== undefined) return { initialLevel: level };
  return carries ? {} : { initialLevel: '0' };
}

/** OpenMeter has no row for a window without events. */
const rulesOf = (vector: AggregateVector): object => ({
  ...(vector.empty_is_zero ? { emptyIsZero: true } : {}),
  ...(vector.floor_at_zero ? { floorAtZero: true } : {}),
  ...(vector.window_alignment ? { align: vector.window_alignment } : {}),
  ...(vector.system === 'openmeter' && vector.query.window !== null ? { omitEmpty: true } : {}),
});

const SOME_MINUTE = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:01:00Z' };

/** Rounding a quantity is rounding the sum of the one event that has it. */
const roundingQuestion = ({ input }: RoundingVector): EvaluationBody => ({
  meter: { aggregation: 'sum', value: 'value' },
  events: [{ time: SOME_MINUTE.from, data: { value: input.value } }],
  query: {
    ...SOME_MINUTE,
    window: 'none',
    timezone: 'UTC',
    ...(input.function === null
      ? {}
      : { rounding: { function: input.function, scale: Number(input.scale ?? '0') } }),
  },
});

/** A row of an answer, as the route gives it. */
export interface AnsweredRow {
  readonly from: string;
  readonly to: string;
  readonly group?: Readonly<Record<string, string>>;
  readonly value: string | null;
}

/** Judges an answer: by what the source asserts, or, where we deviate, by our own value. */
export function expectAnswer(vector: AggregationVector, rows: readonly AnsweredRow[]): void {
  const deviation = DEVIATIONS[vector.id];
  if (deviation) return expectValue({ value: deviation.value }, rows);
  if (vector.kind === 'round_units') return expectValue(vector.expected, rows);
  const { expected } = vector;
  if (expected.rows) {
    expect(rows.map(instants)).to.deep.equal(expected.rows.map(instants));
  } else if (expected.groups) {
    const groups = expected.groups.map(({ key, value }) => ({ key: withoutNulls(key), value }));
    expect(rows.map(({ group, value }) => ({ key: group, value }))).to.have.deep.members(groups);
  } else expectValue(expected, rows);
}

function expectValue(
  { value, compare_scale: scale }: { value?: string | null; compare_scale?: string },
  rows: readonly AnsweredRow[],
): void {
  expect(rows).to.have.length(1);
  expect(rounded(rows[0]!.value, scale)).to.equal(rounded(value!, scale));
}

const at = (text: string): Instant => parseRfc3339(text)!.at;
const instants = ({ from, to, value }: { from: string; to: string; value: string | null }): object => ({
  from: at(from),
  to: at(to),
  value,
});

/** A missing dimension is the group value "". */
const withoutNulls = (key: Properties): Record<string, string> =>
  Object.fromEntries(Object.entries(key).map(([name, value]) => [name, value ?? '']));

const rounded = (value: string | null, scale: string | undefined): string | null =>
  value === null || scale === undefined
    ? value
    : new Decimal(value).toDecimalPlaces(Number(scale), Decimal.ROUND_HALF_UP).toFixed();
