import { expect } from 'chai';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import {
  boundaryAt,
  needsAnchor,
  periodAt,
  periodIndexAt,
  type AnchoredRule,
  type PeriodRule,
} from '#domain/calendar/period.ts';
import { floorToMinute, MICROS_PER_MILLI, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { duration, instant } from './times.ts';
import { ZONES } from './zones.ts';

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

describe('durations', () => {
  it('ask for an anchor where they divide no calendar day or year', () => {
    for (const text of ['PT1M', 'PT15M', 'PT1H', 'PT6H', 'PT24H', 'P1D', 'P1W', 'P1M', 'P3M', 'P6M', 'P1Y'])
      expect(needsAnchor(duration(text)), text).to.equal(false);
    for (const text of ['PT7M', 'PT5H', 'PT36H', 'P2D', 'P7D', 'P2W', 'P5M', 'P2Y', 'P1M1D', 'P1DT1H'])
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

  it('begin at the anchor itself, also where clocks show its time twice', () => {
    // 02:30 in Berlin, the second time.
    const monthly = rule('P1M', 'Europe/Berlin', '2026-10-25T01:30:00Z');
    expect(shown(monthly, '2026-10-25T01:30:00Z')).to.deep.equal([
      '2026-10-25T01:30:00Z',
      '2026-11-25T01:30:00Z',
    ]);
    expect(shown(monthly, '2026-10-25T00:30:00Z')).to.deep.equal([
      '2026-09-25T00:30:00Z',
      '2026-10-25T01:30:00Z',
    ]);
  });

  it('of a date whose day runs past its month end with the month, and have the day in longer ones', () => {
    const last = { ...rule('P1M', 'America/New_York'), anchor: { year: 2026, month: 2, day: 31 } };
    expect(shown(last, '2026-03-01T00:00:00Z')).to.deep.equal([
      '2026-02-28T05:00:00Z',
      '2026-03-31T04:00:00Z',
    ]);
    const leapDay = { ...rule('P1Y'), anchor: { year: 2023, month: 2, day: 29 } };
    expect(shown(leapDay, '2024-01-01T00:00:00Z')).to.deep.equal([
      '2023-02-28T00:00:00Z',
      '2024-02-29T00:00:00Z',
    ]);
  });

  it('of several units count months, then days, then hours, each time from the anchor', () => {
    const mixed = rule('P1M1DT1H', 'UTC', '2026-01-31T00:00:00Z');
    expect(shown(mixed, '2026-03-01T01:00:00Z')).to.deep.equal([
      '2026-03-01T01:00:00Z',
      '2026-04-02T02:00:00Z',
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
        'P7Y',
        'P1M1D',
        'P2WT36H',
        'PT90S',
      ),
      zone: fc.constantFrom(...ZONES),
      anchor: fc.option(instants),
    })
    .filter(({ every, anchor }) => anchor !== null || !needsAnchor(duration(every)))
    .map(({ every, zone, anchor }) => ({ every: duration(every), anchor, zone: timeZone(zone) }));

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

  it('that are anchored begin at the anchor’s minute', () => {
    fc.assert(
      fc.property(rules, ({ anchor, ...of }) => {
        if (anchor === null) return;
        const { from } = periodAt({ ...of, anchor }, anchor);
        expect(anchor - from).to.be.within(0, MICROS_PER_MINUTE - 1);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('boundaries', () => {
  const anchored = (every: string, zone: string, anchor: string): AnchoredRule => ({
    ...rule(every, zone),
    anchor: instant(anchor),
  });

  it('are numbered from the anchor on, and before it below 0', () => {
    const monthly = anchored('P1M', 'UTC', '2026-01-31T00:00:00Z');
    const shownAt = [-2, -1, 0, 1, 2].map((index) => formatInstant(boundaryAt(monthly, index)));
    expect(shownAt.map((text) => text.slice(0, 10))).to.deep.equal([
      '2025-11-30',
      '2025-12-31',
      '2026-01-31',
      '2026-02-28',
      '2026-03-31',
    ]);
    expect(periodIndexAt(monthly, instant('2026-03-30T23:59:59Z'))).to.equal(1);
    expect(periodIndexAt(monthly, instant('2025-12-30T00:00:00Z'))).to.equal(-2);
  });

  it('are those that Temporal counts, in any zone', () => {
    const cadences = fc.record({
      months: fc.integer({ min: 0, max: 30 }),
      days: fc.integer({ min: 0, max: 60 }),
    });
    const date = fc.record({
      year: fc.integer({ min: 2013, max: 2030 }),
      month: fc.integer({ min: 1, max: 12 }),
      day: fc.integer({ min: 1, max: 31 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        cadences.filter(({ months, days }) => months + days > 0),
        date,
        fc.integer({ min: -40, max: 40 }),
        (zone, { months, days }, from, index) => {
          // No zone changes its clocks at noon.
          const noon = Temporal.PlainDateTime.from({ ...from, hour: 12 });
          const micros = (at: Temporal.PlainDateTime): number => {
            const zoned = at.toZonedDateTime(zone);
            // Where a date was skipped, Temporal takes the next one, and we the moment of the change.
            fc.pre(zoned.toPlainDateTime().equals(at));
            return floorToMinute(zoned.epochMilliseconds * MICROS_PER_MILLI);
          };
          const every = { months, days, seconds: 0, weeks: false };
          const boundary = boundaryAt({ every, anchor: micros(noon), zone: timeZone(zone) }, index);
          expect(boundary).to.equal(micros(noon.add({ months: months * index, days: days * index })));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
