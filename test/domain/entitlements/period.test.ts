import { expect } from 'chai';
import fc from 'fast-check';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import { parseDuration, type Duration } from '#domain/entitlements/duration.ts';
import { needsAnchor, periodAt, type PeriodRule } from '#domain/entitlements/period.ts';
import { MICROS_PER_DAY, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import { ZONES } from '#test/domain/calendar/zones.ts';

const instant = (text: string): Instant => {
  const parsed = parseRfc3339(text);
  if (!parsed) throw new RangeError(text);
  return parsed.at;
};
const duration = (text: string): Duration => {
  const parsed = parseDuration(text);
  if (!parsed) throw new RangeError(text);
  return parsed;
};
const rule = (every: string, zone = 'UTC', anchor?: string): PeriodRule => ({
  every: duration(every),
  anchor: anchor === undefined ? null : instant(anchor),
  zone: timeZone(zone),
});

/** The period of `at`, as text. */
const shown = (of: PeriodRule, at: string): string[] => {
  const { from, to } = periodAt(of, instant(at));
  return [formatInstant(from), formatInstant(to)];
};

describe('durations of limits', () => {
  it('are one unit, at least one of it', () => {
    expect(duration('P1M')).to.deep.equal({ unit: 'month', count: 1, weeks: false });
    expect(duration('P1Y')).to.deep.equal({ unit: 'month', count: 12, weeks: false });
    expect(duration('P2W')).to.deep.equal({ unit: 'day', count: 14, weeks: true });
    expect(duration('PT5H')).to.deep.equal({ unit: 'minute', count: 300, weeks: false });
    for (const text of [
      '',
      'P',
      'PT',
      'P0D',
      'P1',
      '1D',
      'PT1S',
      'P1M2D',
      'P1DT2H',
      'p1d',
      'P-1D',
      'P1.5D',
      'P1000D',
    ])
      expect(parseDuration(text), text).to.equal(undefined);
  });

  it('ask for an anchor where they divide no calendar day or year', () => {
    for (const text of ['PT1M', 'PT15M', 'PT1H', 'PT6H', 'PT24H', 'P1D', 'P1W', 'P1M', 'P3M', 'P6M', 'P1Y'])
      expect(needsAnchor(duration(text)), text).to.equal(false);
    for (const text of ['PT7M', 'PT5H', 'PT36H', 'P2D', 'P7D', 'P2W', 'P5M'])
      expect(needsAnchor(duration(text)), text).to.equal(true);
  });
});

describe('calendar periods', () => {
  it('are those of the zone: months, quarters, years, weeks from Monday, days', () => {
    expect(shown(rule('P1M', 'Asia/Kolkata'), '2026-03-31T18:29:59Z')).to.deep.equal([
      '2026-02-28T18:30:00Z',
      '2026-03-31T18:30:00Z',
    ]);
    expect(shown(rule('P3M'), '2026-05-05T00:00:00Z')).to.deep.equal([
      '2026-04-01T00:00:00Z',
      '2026-07-01T00:00:00Z',
    ]);
    expect(shown(rule('P1Y', 'America/New_York'), '2026-12-31T23:59:00Z')).to.deep.equal([
      '2026-01-01T05:00:00Z',
      '2027-01-01T05:00:00Z',
    ]);
    expect(shown(rule('P1W'), '2026-11-22T23:59:59Z')).to.deep.equal([
      '2026-11-16T00:00:00Z',
      '2026-11-23T00:00:00Z',
    ]);
  });

  it('of hours begin anew at each local midnight, and the last is cut where clocks change', () => {
    const sixHours = rule('PT6H', 'Europe/Berlin');
    expect(shown(sixHours, '2026-03-29T12:00:00Z')).to.deep.equal([
      '2026-03-29T11:00:00Z',
      '2026-03-29T17:00:00Z',
    ]);
    // The day has 23 hours.
    expect(shown(sixHours, '2026-03-29T17:00:00Z')).to.deep.equal([
      '2026-03-29T17:00:00Z',
      '2026-03-29T22:00:00Z',
    ]);
    // The day has 25.
    expect(shown(sixHours, '2026-10-25T22:30:00Z')).to.deep.equal([
      '2026-10-25T22:00:00Z',
      '2026-10-25T23:00:00Z',
    ]);
  });
});

describe('anchored periods', () => {
  it('of months from the 31st end on the last day of shorter months, and on the 31st again afterwards', () => {
    const monthly = rule('P1M', 'UTC', '2026-01-31T10:30:00Z');
    expect(shown(monthly, '2026-02-28T10:29:59Z')).to.deep.equal([
      '2026-01-31T10:30:00Z',
      '2026-02-28T10:30:00Z',
    ]);
    expect(shown(monthly, '2026-03-01T00:00:00Z')).to.deep.equal([
      '2026-02-28T10:30:00Z',
      '2026-03-31T10:30:00Z',
    ]);
    expect(shown(rule('P1Y', 'UTC', '2024-02-29T00:00:00Z'), '2027-01-01T00:00:00Z')).to.deep.equal([
      '2026-02-28T00:00:00Z',
      '2027-02-28T00:00:00Z',
    ]);
  });

  it('go by the local time of day, whose skipped hour is the moment of the skip', () => {
    const daily = rule('P1D', 'Europe/Berlin', '2026-03-01T01:30:00Z');
    expect(shown(daily, '2026-03-29T00:45:00Z')).to.deep.equal([
      '2026-03-28T01:30:00Z',
      '2026-03-29T01:00:00Z',
    ]);
    expect(shown(daily, '2026-03-29T12:00:00Z')).to.deep.equal([
      '2026-03-29T01:00:00Z',
      '2026-03-30T00:30:00Z',
    ]);
  });

  it('of hours are elapsed time, before the anchor too', () => {
    const fiveHours = rule('PT5H', 'Europe/Berlin', '2026-03-29T00:00:30Z');
    expect(shown(fiveHours, '2026-03-29T06:00:00Z')).to.deep.equal([
      '2026-03-29T05:00:00Z',
      '2026-03-29T10:00:00Z',
    ]);
    expect(shown(fiveHours, '2026-03-28T23:59:00Z')).to.deep.equal([
      '2026-03-28T19:00:00Z',
      '2026-03-29T00:00:00Z',
    ]);
  });
});

describe('periods of any rule', () => {
  const first = instant('2009-01-01T00:00:00Z');
  const last = instant('2040-01-01T00:00:00Z');
  const instants = fc.integer({ min: first, max: last });
  const rules = fc
    .record({
      every: fc.constantFrom(
        'PT1M',
        'PT15M',
        'PT6H',
        'PT7M',
        'PT36H',
        'P1D',
        'P3D',
        'P1W',
        'P2W',
        'P1M',
        'P5M',
        'P1Y',
      ),
      zone: fc.constantFrom(...ZONES),
      anchor: fc.option(instants),
    })
    .filter(({ every, anchor }) => anchor !== null || !needsAnchor(duration(every)))
    .map(({ every, zone, anchor }): PeriodRule => ({ every: duration(every), anchor, zone: timeZone(zone) }));

  it('hold the instants they are asked for, begin at whole minutes, and meet without a gap', () => {
    fc.assert(
      fc.property(rules, instants, (of, at) => {
        const period = periodAt(of, at);
        expect(period.from).to.be.at.most(at);
        expect(period.to).to.be.greaterThan(at);
        expect(period.from % MICROS_PER_MINUTE).to.equal(0);
        expect(period.to % MICROS_PER_MINUTE).to.equal(0);
        // Every instant of a period has the same one, and its end begins the next.
        expect(periodAt(of, period.from)).to.deep.equal(period);
        expect(periodAt(of, period.to - 1)).to.deep.equal(period);
        expect(periodAt(of, period.to).from).to.equal(period.to);
        expect(periodAt(of, period.from - 1).to).to.equal(period.from);
      }),
      { numRuns: 2_000 },
    );
  });

  it('that are anchored begin at the anchor’s minute, unless clocks show it twice', () => {
    fc.assert(
      fc.property(rules, (of) => {
        if (of.anchor === null) return;
        const { from } = periodAt(of, of.anchor);
        expect(of.anchor - from).to.be.within(0, MICROS_PER_DAY / 8);
      }),
      { numRuns: 2_000 },
    );
  });
});
