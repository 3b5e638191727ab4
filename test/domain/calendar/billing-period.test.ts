import { expect } from 'chai';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { anchorOf, type AnchorChoice } from '#domain/calendar/anchor.ts';
import {
  billingPeriods,
  periodBefore,
  type BillingPeriod,
  type Term,
} from '#domain/calendar/billing-period.ts';
import { daysInMonth } from '#domain/calendar/civil-date.ts';
import { needsAnchor, type PeriodRule } from '#domain/calendar/period.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import {
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MILLI,
  MICROS_PER_MINUTE,
  floorToMinute,
  type Instant,
} from '#domain/instant.ts';
import { duration, instant } from './times.ts';
import { ZONES } from './zones.ts';

/** Besides those with oddities the farthest west and east, and one at :45. */
const ALL_ZONES = [...new Set([...ZONES, 'Pacific/Pago_Pago', 'Pacific/Kiritimati', 'Australia/Eucla'])];

const ruleOf = (choice: AnchorChoice, cadence: string, zone: string, start: Instant): PeriodRule => ({
  every: duration(cadence),
  zone: timeZone(zone),
  anchor: anchorOf(choice, timeZone(zone), start),
});
const periodsOf = (choice: AnchorChoice, cadence: string, zone: string, term: Term): BillingPeriod[] =>
  billingPeriods(ruleOf(choice, cadence, zone, term.start), term)
    .take(500)
    .toArray();
const shown = (periods: readonly BillingPeriod[]): string[] =>
  periods.map(({ from, to, stub }) =>
    [formatInstant(from), formatInstant(to), ...(stub ? [stub] : [])].join(' '),
  );

describe('billing periods', () => {
  const YEAR = { start: instant('2026-01-01T00:00:00Z'), end: instant('2027-01-01T00:00:00Z') };

  it('go from day 31 to the last day of shorter months and back, with a stub at each end', () => {
    const term = { start: instant('2026-01-10T08:00:59Z'), end: instant('2026-04-15T00:00:00Z') };
    expect(shown(periodsOf({ day: 31 }, 'P1M', 'UTC', term))).to.deep.equal([
      '2026-01-10T08:00:00Z 2026-01-31T00:00:00Z leading',
      '2026-01-31T00:00:00Z 2026-02-28T00:00:00Z',
      '2026-02-28T00:00:00Z 2026-03-31T00:00:00Z',
      '2026-03-31T00:00:00Z 2026-04-15T00:00:00Z trailing',
    ]);
  });

  it('of a term within one period are one stub at both ends, and within one minute none', () => {
    const term = { start: instant('2026-01-10T00:00:00Z'), end: instant('2026-01-12T00:00:00Z') };
    expect(shown(periodsOf('calendar', 'P1M', 'UTC', term))).to.deep.equal([
      '2026-01-10T00:00:00Z 2026-01-12T00:00:00Z both',
    ]);
    const minute = { start: term.start, end: term.start + MICROS_PER_MINUTE - 1 };
    expect(periodsOf('start', 'P1M', 'UTC', minute)).to.deep.equal([]);
  });

  it('of years from 29 February are of the 28th in common years', () => {
    const leaps = periodsOf({ day: 29, month: 2 }, 'P1Y', 'UTC', {
      ...YEAR,
      end: instant('2033-01-01T00:00:00Z'),
    });
    expect(leaps.map(({ to }) => formatInstant(to).slice(0, 10)).slice(0, -1)).to.deep.equal([
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
      '2029-02-28',
      '2030-02-28',
      '2031-02-28',
      '2032-02-29',
    ]);
  });

  it('of weeks begin on their weekday, of the calendar on Mondays', () => {
    const starts = (choice: AnchorChoice, cadence: string): string[] =>
      periodsOf(choice, cadence, 'UTC', YEAR)
        .slice(1, 3)
        .map(({ from }) => formatInstant(from).slice(0, 10));
    expect(starts('calendar', 'P1W')).to.deep.equal(['2026-01-05', '2026-01-12']);
    expect(starts({ weekday: 7 }, 'P2W')).to.deep.equal(['2026-01-04', '2026-01-18']);
    expect(starts({ weekday: 4 }, 'P1W')).to.deep.equal(['2026-01-08', '2026-01-15']);
  });

  it('of days have 23 and 25 hours where clocks change, and half an hour more or less at Lord Howe', () => {
    const hours = (zone: string): Set<number> =>
      new Set(
        periodsOf('calendar', 'P1D', zone, YEAR)
          .filter(({ stub }) => stub === null)
          .map(({ from, to }) => (to - from) / MICROS_PER_HOUR),
      );
    expect(hours('Europe/Berlin')).to.deep.equal(new Set([24, 23, 25]));
    expect(hours('Australia/Lord_Howe')).to.deep.equal(new Set([24, 24.5, 23.5]));
    expect(hours('Asia/Kathmandu')).to.deep.equal(new Set([24]));
  });

  /** Every anchor day that months cut, in every zone, by every cadence of months: against Temporal, date by date. */
  it('of months begin at the first moment of the anchor’s day, or of the last day of a shorter month, in every zone', () => {
    const term = { start: instant('2023-07-06T12:00:00Z'), end: instant('2028-07-01T00:00:00Z') };
    for (const zone of ALL_ZONES)
      for (const day of [1, 28, 29, 30, 31])
        for (const months of [1, 2, 3, 5, 12]) {
          const periods = periodsOf({ day }, `P${months}M`, zone, term);
          periods.slice(1).forEach(({ from }, at) => {
            // Counted from July, the month of the start; on days after the 6th the first period begins in June or earlier.
            const first = day <= 6 ? months : 0;
            const month = new Temporal.PlainYearMonth(2023, 7).add({ months: first + months * at });
            const date = month.toPlainDate({ day: Math.min(day, daysInMonth(month.year, month.month)) });
            const expected = date.toZonedDateTime(zone).epochMilliseconds * MICROS_PER_MILLI;
            expect(formatInstant(from), `${zone} ${day} P${months}M`).to.equal(formatInstant(expected));
          });
        }
  });

  const moments = fc.integer({ min: instant('2012-01-01T00:00:00Z'), max: instant('2034-01-01T00:00:00Z') });
  const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
  const ofMonths = fc.tuple(
    fc.oneof(
      fc.constantFrom<AnchorChoice>('start', 'calendar'),
      moments,
      fc.record({
        day: fc.oneof(whole(28, 31), whole(1, 31)),
        month: fc.option(whole(1, 12), { nil: undefined }),
      }),
      fc.constant({ day: 29, month: 2 }),
    ),
    fc.constantFrom('P1M', 'P2M', 'P3M', 'P5M', 'P6M', 'P1Y', 'P2Y', 'P18M'),
  );
  const ofWeeks = fc.tuple(
    fc.oneof(
      fc.constantFrom<AnchorChoice>('start', 'calendar'),
      moments,
      fc.record({ weekday: whole(1, 7) }),
    ),
    fc.constantFrom('P1W', 'P2W', 'P4W'),
  );
  const ofOthers = fc.tuple(
    fc.oneof(fc.constantFrom<AnchorChoice>('start', 'calendar'), moments),
    fc.constantFrom('P1D', 'P7D', 'P30D', 'PT1H', 'PT6H', 'PT90M', 'P1M1D', 'P1DT12H'),
  );
  const anchored = fc
    .oneof(ofMonths, ofWeeks, ofOthers)
    .filter(([choice, cadence]) => choice !== 'calendar' || !needsAnchor(duration(cadence)));
  /** Terms of minutes, days and years. */
  const lengths = fc.oneof(
    whole(0, 90 * MICROS_PER_MINUTE),
    whole(0, 100 * MICROS_PER_DAY),
    whole(0, 4_000 * MICROS_PER_DAY),
  );
  const zones = fc.constantFrom(...ALL_ZONES);

  it('tile a term without gap or overlap, whatever its anchor, cadence, zone and ends are', () => {
    fc.assert(
      fc.property(anchored, zones, moments, lengths, ([choice, cadence], zone, start, length) => {
        const rule = ruleOf(choice, cadence, zone, start);
        const periods = billingPeriods(rule, { start, end: start + length })
          .take(60)
          .toArray();
        const [first, last] = [floorToMinute(start), floorToMinute(start + length)];
        if (first === last) return void expect(periods).to.deep.equal([]);
        expect(periods[0]?.from).to.equal(first);
        if (periods.length < 60) expect(periods.at(-1)?.to).to.equal(last);
        periods.forEach(({ from, to, period, stub }, at) => {
          expect(from).to.be.lessThan(to);
          expect([from % MICROS_PER_MINUTE, to % MICROS_PER_MINUTE]).to.deep.equal([0, 0]);
          expect(period.from <= from && to <= period.to).to.equal(true);
          if (at > 0) {
            expect(from).to.equal(periods[at - 1]!.to);
            expect(from).to.equal(period.from);
          }
          if (at < periods.length - 1) expect(to).to.equal(period.to);
          const [isLate, isEarly] = [
            stub === 'leading' || stub === 'both',
            stub === 'trailing' || stub === 'both',
          ];
          expect([isLate, isEarly]).to.deep.equal([from > period.from, to < period.to]);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('are counted from the anchor: those of a later start are the same, but for its stub', () => {
    fc.assert(
      fc.property(anchored, zones, moments, lengths, ([choice, cadence], zone, start, later) => {
        // A day of the month or the start itself is another anchor for another start, so the anchor stays that of the first.
        const rule = ruleOf(choice, cadence, zone, start);
        const from = floorToMinute(start + later);
        const [second, third] = billingPeriods(rule, { start: from }).drop(1).take(2).toArray();
        const again = billingPeriods(rule, { start: second!.from - 1 })
          .drop(1)
          .take(2)
          .toArray();
        expect(again).to.deep.equal([second, third]);
      }),
      { numRuns: 500 },
    );
  });

  it('counted back from their end differ from those of the anchor where a month was cut', () => {
    const start = instant('2026-01-31T00:00:00Z');
    const rule = ruleOf({ day: 31 }, 'P1M', 'UTC', start);
    const [, february] = billingPeriods(rule, { start: start - 1 })
      .take(2)
      .toArray();
    expect(formatInstant(february!.from)).to.equal('2026-01-31T00:00:00Z');
    expect(formatInstant(periodBefore(rule, february!.to).from)).to.equal('2026-01-28T00:00:00Z');
  });
});
