import { expect } from 'chai';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { UnknownTimeZoneError } from '#domain/calendar/time-zone.ts';
import { dayOf, type Instant } from '#domain/instant.ts';
import { DISTINCT_VALUES_PER_QUERY_MAX } from '#domain/limits.ts';
import { AGGREGATIONS, type Aggregation } from '#domain/metering/accumulator.ts';
import { addReferences, emptyDistinctValue } from '#domain/metering/distinct-value.ts';
import { emptyHourCell } from '#domain/metering/hour-cell.ts';
import { parsePlainDecimal, type Quantity } from '#domain/metering/quantity.ts';
import { divideHalfAwayFromZero } from '#domain/usage/division.ts';
import { emptySubjectUsage, hasDirtyCells } from '#domain/usage/loaded-usage.ts';
import { TooManyDistinctValuesError } from '#domain/usage/measure-distinct.ts';
import { readingPlan } from '#domain/usage/reading-plan.ts';
import { UsageQueryError, firstWindows, usageQuery, type UsageRequest } from '#domain/usage/usage-query.ts';
import { usageRows, type UsageRow } from '#domain/usage/usage-rows.ts';
import { loadPlan, type MeteredEvent } from './usage-model.ts';

const at = (text: string): Instant => parseRfc3339(text)!.at;
const value = (text: string): Quantity => parsePlainDecimal(text) as Quantity;

let serial = 0;
function event(time: string, amount: string, more: Partial<MeteredEvent> = {}): MeteredEvent {
  const identity = String(serial++).padStart(16, '0');
  return {
    subject: 'acme',
    time: at(time),
    identity,
    value: value(amount),
    distinct: amount.padEnd(16),
    group: ['', ''],
    slot: 0,
    ...more,
  };
}

const DAY: UsageRequest = {
  aggregation: 'sum',
  from: at('2026-03-01T00:00:00Z'),
  to: at('2026-03-02T00:00:00Z'),
  window: 'none',
  timezone: 'UTC',
  rolledThrough: -1,
  dimensions: ['region', 'model'],
};

function rowsOf(request: Partial<UsageRequest>, events: readonly MeteredEvent[]): UsageRow[] {
  const query = usageQuery({ ...DAY, ...request });
  return [...usageRows(query, loadPlan(query, readingPlan(query), events))];
}

describe('usage rows', () => {
  it('of an empty window are 0 for count, sum and unique, null for the others, and a level of 0', () => {
    const empty = (aggregation: Aggregation): string | null => rowsOf({ aggregation }, [])[0]!.value;
    expect(
      Object.fromEntries(AGGREGATIONS.map((aggregation) => [aggregation, empty(aggregation)])),
    ).to.deep.equal({
      count: '0',
      sum: '0',
      unique: '0',
      min: null,
      max: null,
      average: null,
      latest: null,
      timeWeightedSum: '0',
    });
  });

  it('without groups are one for every window; with groups only for those with usage', () => {
    const events = [event('2026-03-01T05:10:00Z', '2', { group: ['m1', 'eu'] })];
    expect(rowsOf({ window: 'hour' }, events)).to.have.length(24);
    expect(rowsOf({ window: 'hour', groupBy: ['model'] }, events)).to.deep.equal([
      {
        from: at('2026-03-01T05:00:00Z'),
        to: at('2026-03-01T06:00:00Z'),
        group: { model: 'm1' },
        value: '2',
      },
    ]);
  });

  it('come in order of window, subject and group, whatever the order of groupBy', () => {
    const events = [
      event('2026-03-01T05:10:00Z', '1', { subject: 'b', group: ['m2', 'eu'] }),
      event('2026-03-01T05:11:00Z', '2', { subject: 'b', group: ['m1', 'us'] }),
      event('2026-03-01T05:12:00Z', '3', { subject: 'a', group: ['m2', ''] }),
      event('2026-03-01T04:00:00Z', '4', { subject: 'b', group: ['m2', 'eu'] }),
    ];
    const rows = rowsOf({ window: 'hour', groupBy: ['subject', 'region', 'model', 'region'] }, events);
    expect(
      rows.map(({ from, subject, group, value: sum }) => [
        formatInstant(from).slice(11, 13),
        subject,
        group,
        sum,
      ]),
    ).to.deep.equal([
      ['04', 'b', { model: 'm2', region: 'eu' }, '4'],
      ['05', 'a', { model: 'm2', region: '' }, '3'],
      ['05', 'b', { model: 'm1', region: 'us' }, '2'],
      ['05', 'b', { model: 'm2', region: 'eu' }, '1'],
    ]);
  });

  it('add the groups up that a coarser groupBy does not tell apart', () => {
    const events = [
      event('2026-03-01T05:10:00Z', '1', { group: ['m1', 'eu'] }),
      event('2026-03-01T06:10:00Z', '0.5', { group: ['m1', 'us'] }),
    ];
    expect(rowsOf({ groupBy: ['model'] }, events).map(({ group, value: sum }) => [group, sum])).to.deep.equal(
      [[{ model: 'm1' }, '1.5']],
    );
  });

  it('count only the groups that every filter accepts; a missing dimension is ""', () => {
    const events = [
      event('2026-03-01T05:10:00Z', '1', { group: ['m1', 'eu'] }),
      event('2026-03-01T05:10:00Z', '10', { group: ['m1', 'us'] }),
      event('2026-03-01T05:10:00Z', '100', { group: ['', 'us'] }),
    ];
    const sum = (filter: Record<string, string[]>): string | null => rowsOf({ filter }, events)[0]!.value;
    expect(sum({ model: ['m1'] })).to.equal('11');
    expect(sum({ model: ['m1', ''], region: ['us'] })).to.equal('110');
    expect(sum({ model: [''] })).to.equal('100');
    expect(sum({ model: [] })).to.equal('0');
  });

  it('of latest over several subjects take the greatest time, then the greatest identity', () => {
    const time = '2026-03-01T05:10:00Z';
    const events = [
      event(time, '1', { subject: 'a', identity: 'b'.repeat(16) }),
      event(time, '2', { subject: 'b', identity: 'c'.repeat(16) }),
      event('2026-03-01T05:09:59Z', '3', { subject: 'c', identity: 'z'.repeat(16) }),
    ];
    expect(rowsOf({ aggregation: 'latest' }, events)[0]!.value).to.equal('2');
  });

  it('of unique over several subjects are the union, and by subject each its own', () => {
    const events = ['a', 'b'].flatMap((subject) =>
      ['1', '2'].map((name) => event('2026-03-01T05:10:00Z', name, { subject })),
    );
    expect(rowsOf({ aggregation: 'unique' }, events)[0]!.value).to.equal('2');
    expect(
      rowsOf({ aggregation: 'unique', groupBy: ['subject'] }, events).map((row) => row.value),
    ).to.deep.equal(['2', '2']);
  });

  it('of average are rounded once, half away from zero, at 18 decimals', () => {
    const events = ['1', '1', '-4'].map((amount) => event('2026-03-01T05:10:00Z', amount));
    expect(rowsOf({ aggregation: 'average' }, events)[0]!.value).to.equal('-0.666666666666666667');
    expect([1n, -1n, 3n, 0n].map((n) => divideHalfAwayFromZero(n, 2n))).to.deep.equal([1n, -1n, 2n, 0]);
  });

  it('of a level hold it through windows without events, from long before the range, with groups or without', () => {
    const events = [
      event('2026-01-15T00:00:00Z', '10', { group: ['m1', ''] }),
      event('2026-02-28T12:00:00Z', '-4', { group: ['m1', ''] }),
      event('2026-03-01T12:00:00Z', '2', { group: ['m2', ''] }),
    ];
    for (const rolledThrough of [
      -1,
      dayOf(at('2026-02-10T00:00:00Z')),
      dayOf(at('2026-02-28T00:00:00Z')),
      dayOf(DAY.to),
    ]) {
      const level = { aggregation: 'timeWeightedSum', rolledThrough } as const;
      expect(rowsOf(level, events)[0]!.value).to.equal('7');
      expect(rowsOf({ ...level, window: 'hour' }, events).map((row) => row.value)).to.deep.equal([
        ...Array<string>(12).fill('6'),
        ...Array<string>(12).fill('8'),
      ]);
      const groups = rowsOf({ ...level, groupBy: ['model'] }, events).map(({ group, value: average }) => [
        group!['model'],
        average,
      ]);
      expect(groups).to.deep.equal([
        ['m1', '6'],
        ['m2', '1'],
      ]);
    }
  });

  it('are made as they are taken', () => {
    const query = usageQuery({
      ...DAY,
      window: 'minute',
      from: at('1700-01-01T00:00:00Z'),
      to: at('2250-01-01T00:00:00Z'),
    });
    const rows = usageRows(query, []).take(2).toArray();
    expect(rows.map(({ from }) => formatInstant(from))).to.deep.equal([
      '1700-01-01T00:00:00Z',
      '1700-01-01T00:01:00Z',
    ]);
  });

  it('cover a cell that voids have emptied with no row', () => {
    const query = usageQuery({ ...DAY, groupBy: ['subject'] });
    const hour = { group: '', hour: Math.floor(DAY.from / 3_600_000_000), cell: emptyHourCell() };
    expect([...usageRows(query, [{ ...emptySubjectUsage('acme'), hours: [hour] }])]).to.deep.equal([]);
  });

  it('refuse a stored group that is not one of the meter', () => {
    const query = usageQuery({ ...DAY, groupBy: ['model'] });
    const hours = (group: string) => [
      { group, hour: Math.floor(DAY.from / 3_600_000_000), cell: emptyHourCell() },
    ];
    for (const group of ['', '["m1"]', '["m1",2]', '{}']) {
      expect(() => [...usageRows(query, [{ ...emptySubjectUsage('acme'), hours: hours(group) }])]).to.throw(
        Error,
        'a stored group',
      );
    }
  });
});

describe('a usage query', () => {
  const code = (request: Partial<UsageRequest>): string => {
    try {
      usageQuery({ ...DAY, ...request });
    } catch (error) {
      if (error instanceof UsageQueryError || error instanceof UnknownTimeZoneError) return error.code;
      throw error;
    }
    return 'accepted';
  };

  it('is refused when its range, zone, dimensions or position make no sense', () => {
    expect(code({})).to.equal('accepted');
    expect(code({ to: DAY.from })).to.equal('range_empty');
    expect(code({ to: DAY.from + 59_999_999 })).to.equal('range_empty');
    expect(code({ to: 2 ** 53 })).to.equal('range_invalid');
    expect(code({ from: NaN })).to.equal('range_invalid');
    expect(code({ groupBy: ['colour'] })).to.equal('unknown_dimension');
    expect(code({ filter: { colour: ['red'] } })).to.equal('unknown_dimension');
    expect(code({ timezone: 'Mars/Olympus' })).to.equal('unknown_time_zone');
    for (const from of [DAY.to, DAY.from - 60_000_000, DAY.from + 1, NaN]) {
      expect(code({ after: { from, subject: '', group: '' } })).to.equal('position_outside_range');
    }
  });

  it('shows its boundaries moved down to whole minutes, and its zone as the zone data spells it', () => {
    const { from, to, timezone } = usageQuery({
      ...DAY,
      from: DAY.from + 59_999_999,
      to: DAY.to + 1,
      timezone: 'europe/berlin',
    });
    expect({ from, to, timezone }).to.deep.equal({ from: DAY.from, to: DAY.to, timezone: 'Europe/Berlin' });
  });

  it('reads a rolled month as its days, and a page of it as a page', () => {
    const month = usageQuery({
      ...DAY,
      to: at('2026-04-01T00:00:00Z'),
      window: 'day',
      rolledThrough: dayOf(at('2026-12-01T00:00:00Z')),
    });
    const first = dayOf(DAY.from);
    expect(readingPlan(month)).to.deep.equal({
      view: 0,
      days: [{ from: first, to: first + 31 }],
      hours: [],
      valueDays: [],
    });
    expect(readingPlan(firstWindows(month, 5)).days).to.deep.equal([{ from: first, to: first + 5 }]);
  });

  it('reads groups only when it groups or filters, values only of days for unique, and a level from the last day before', () => {
    const first = dayOf(DAY.from);
    expect(readingPlan(usageQuery({ ...DAY, groupBy: ['subject'] })).view).to.equal(0);
    expect(readingPlan(usageQuery({ ...DAY, filter: { model: ['m1'] } })).view).to.equal(1);
    expect(readingPlan(usageQuery({ ...DAY, aggregation: 'unique' }))).to.deep.equal({
      view: 0,
      days: [],
      hours: [],
      valueDays: [{ from: first, to: first + 1 }],
    });
    const level = usageQuery({ ...DAY, aggregation: 'timeWeightedSum', rolledThrough: first - 2 });
    expect(readingPlan(level)).to.deep.include({
      days: [],
      hours: [{ from: (first - 1) * 24, to: (first + 1) * 24 }],
      levelDay: first - 2,
    });
  });

  it('is refused above the greatest number of distinct values, which is still answered', () => {
    const query = usageQuery({ ...DAY, aggregation: 'unique', dimensions: [] });
    const distinct = emptyDistinctValue();
    addReferences(distinct, 5, 1);
    const values = Array.from({ length: DISTINCT_VALUES_PER_QUERY_MAX + 1 }, (_, i) => ({
      day: dayOf(DAY.from),
      group: '',
      valueHash: String(i).padStart(16, '0'),
      value: distinct,
    }));
    const answer = (count: number) =>
      [...usageRows(query, [{ ...emptySubjectUsage('acme'), values: values.slice(0, count) }])][0]!.value;
    expect(answer(DISTINCT_VALUES_PER_QUERY_MAX)).to.equal(String(DISTINCT_VALUES_PER_QUERY_MAX));
    expect(() => answer(DISTINCT_VALUES_PER_QUERY_MAX + 1)).to.throw(TooManyDistinctValuesError);
  });

  it('shows whether any cell it read is dirty', () => {
    const hour = { group: '', hour: 0, cell: emptyHourCell() };
    expect(hasDirtyCells([{ ...emptySubjectUsage('acme'), hours: [hour] }])).to.equal(false);
    hour.cell.dirty = true;
    expect(
      hasDirtyCells([emptySubjectUsage('zeta'), { ...emptySubjectUsage('acme'), hours: [hour] }]),
    ).to.equal(true);
  });
});
