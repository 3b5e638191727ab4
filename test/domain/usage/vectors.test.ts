import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Decimal } from 'decimal.js';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { WindowUnit } from '#domain/calendar/window.ts';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import { parsePlainDecimal, type Quantity } from '#domain/metering/quantity.ts';
import { readingPlan } from '#domain/usage/reading-plan.ts';
import { usageQuery, type UsageQuery } from '#domain/usage/usage-query.ts';
import { usageRows, type UsageRow } from '#domain/usage/usage-rows.ts';
import { loadPlan, type MeteredEvent } from './usage-model.ts';

interface Case {
  readonly id: string;
  readonly source: string;
  readonly aggregation: string;
  readonly value_property: string | null;
  readonly events: readonly { at: string; properties: Readonly<Record<string, string | null>> }[];
  readonly query: {
    readonly from: string;
    readonly to: string;
    readonly window: string | null;
    readonly timezone: string;
    readonly group_by: readonly string[];
    readonly filter: Readonly<Record<string, readonly string[]>>;
  };
  readonly expected: {
    readonly value?: string | null;
    readonly compare_scale?: string;
    readonly rows?: readonly { from: string; to: string; value: string }[];
    readonly groups?: readonly { key: Readonly<Record<string, string | null>>; value: string }[];
  };
}

const cases = JSON.parse(
  readFileSync(new URL('../../vectors/aggregation.json', import.meta.url), 'utf8'),
) as Case[];
const aggregations: Record<string, Aggregation> = {
  avg: 'average',
  unique_count: 'unique',
  weighted_sum: 'timeWeightedSum',
};
const at = (text: string): number => parseRfc3339(text)!.at;

function queryOf({ aggregation, query }: Case): UsageQuery {
  return usageQuery({
    aggregation: aggregations[aggregation] ?? (aggregation as Aggregation),
    from: at(query.from),
    to: at(query.to),
    window: (query.window ?? 'none').toLowerCase() as WindowUnit,
    timezone: query.timezone,
    rolledThrough: -1,
    dimensions: [...new Set([...query.group_by, ...Object.keys(query.filter)])],
    groupBy: query.group_by,
    filter: query.filter,
  });
}

function eventsOf({ events, value_property: property }: Case, query: UsageQuery): MeteredEvent[] {
  // These systems skip an event whose value is null; here it is refused before it reaches a cell.
  const counted = events.filter(
    ({ properties }) => property === null || query.aggregation === 'count' || properties[property] !== null,
  );
  return counted.map(({ at: time, properties }, i) => ({
    subject: 'acme',
    time: at(time),
    identity: String(i).padStart(16, '0'),
    value:
      property !== null && query.aggregation !== 'unique'
        ? (parsePlainDecimal(properties[property] ?? '0') as Quantity)
        : 0,
    distinct: property === null ? '' : (properties[property] ?? '').padEnd(16),
    group: query.dimensions.map((name) => properties[name] ?? ''),
    slot: 0,
  }));
}

const rounded = (value: string | null, scale: string | undefined): string | null =>
  value === null || scale === undefined
    ? value
    : new Decimal(value).toDecimalPlaces(Number(scale), Decimal.ROUND_HALF_UP).toFixed();

function expectRows({ expected }: Case, rows: readonly UsageRow[]): void {
  if (expected.rows) {
    const windows = expected.rows.map(({ from, to, value }) => ({ from: at(from), to: at(to), value }));
    expect(rows).to.deep.equal(windows);
  } else if (expected.groups) {
    const groups = expected.groups.map(({ key, value }) => ({
      key: Object.values(key).map((part) => part ?? ''),
      value,
    }));
    const answered = rows.map(({ group, value }) => ({ key: Object.values(group!), value }));
    expect(answered).to.have.deep.members(groups);
  } else {
    expect(rows).to.have.length(1);
    expect(rounded(rows[0]!.value, expected.compare_scale)).to.equal(
      rounded(expected.value!, expected.compare_scale),
    );
  }
}

describe("usage as other systems' tests have it", () => {
  for (const vector of cases) {
    it(`${vector.id} ${vector.source}`, () => {
      const query = queryOf(vector);
      const loaded = loadPlan(query, readingPlan(query), eventsOf(vector, query));
      expectRows(vector, [...usageRows(query, loaded)]);
    });
  }
});
