import { expect } from 'chai';
import fc from 'fast-check';
import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import { evaluatePeriods } from '#domain/calendar/evaluate-periods.ts';
import { PeriodsError, type PeriodsQuestion } from '#domain/calendar/periods-question.ts';
import { fractionOf } from '#domain/calendar/proration.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { rollingWindowAt } from '#domain/calendar/rolling-window.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import { MICROS_PER_DAY, MICROS_PER_MINUTE, floorToMinute } from '#domain/instant.ts';
import { FRACTION_DECIMALS_MAX } from '#domain/limits.ts';
import { addFractions } from '#domain/money/fraction.ts';
import { duration, instant } from './times.ts';
import { ZONES } from './zones.ts';

const QUESTION: PeriodsQuestion = {
  anchor: { day: 15 },
  cadence: 'P1M',
  start: instant('2026-01-01T00:00:00Z'),
  timezone: 'UTC',
  until: instant('2026-01-20T00:00:00Z'),
  proration: { basis: 'day' },
};
const fractions = (more: Partial<PeriodsQuestion>): string[] =>
  evaluatePeriods({ ...QUESTION, ...more }).map(({ fraction }) => fraction);

function faultsOf(more: Partial<PeriodsQuestion>): string[] {
  try {
    evaluatePeriods({ ...QUESTION, ...more });
  } catch (error) {
    if (error instanceof PeriodsError)
      return error.violations.map(({ pointer, code }) => `${pointer} ${code}`);
    throw error;
  }
  return [];
}

describe('evaluated periods', () => {
  it('are those that begin by then, each with the part of a whole period that it is', () => {
    expect(fractions({ scale: 9 })).to.deep.equal(['0.451612903', '1']);
    expect(fractions({ scale: 2, until: QUESTION.start })).to.deep.equal(['0.45']);
    expect(fractions({ until: QUESTION.start - 1 })).to.deep.equal([]);
    expect(fractions({ proration: { basis: 'none' } })).to.deep.equal(['1', '1']);
  });

  it('have a leading stub of the anchor’s own period, or of one that is counted back from its end', () => {
    const stub = {
      anchor: { day: 31 },
      start: instant('2026-02-10T00:00:00Z'),
      until: instant('2026-02-10T00:00:00Z'),
    };
    const of = (leadingStub: 'aligned' | 'countedBack') =>
      evaluatePeriods({ ...QUESTION, ...stub, proration: { basis: 'day', leadingStub } })[0]!.share;
    // From 31 January, and from 28 January.
    expect(of('aligned')).to.deep.equal({ part: 18, whole: 28, unit: 'day' });
    expect(of('countedBack')).to.deep.equal({ part: 18, whole: 31, unit: 'day' });
  });

  it('of a term that is cut in two come to what the whole term does, by minutes and by days, in any zone', () => {
    const cuts = fc.integer({ min: 0, max: 300 * MICROS_PER_DAY });
    const anchors = fc.constantFrom<AnchorChoice>(
      { day: 28 },
      { day: 29 },
      { day: 30 },
      { day: 31 },
      'calendar',
    );
    fc.assert(
      fc.property(
        fc.tuple(cuts, cuts),
        anchors,
        fc.constantFrom(...ZONES),
        fc.constantFrom('exact', 'day'),
        ([one, other], anchor, timezone, basis) => {
          const [cut, length] = [Math.min(one, other), Math.max(one, other)];
          const { start } = QUESTION;
          const [middle, end] = [floorToMinute(start + cut), start + length];
          const term = (from: number, to: number) =>
            evaluatePeriods({
              ...QUESTION,
              anchor,
              timezone,
              start: from,
              end: to,
              until: to,
              proration: { basis },
            });
          const parts = [...term(start, middle), ...term(middle, end)];
          for (const { of, share, from } of term(start, end)) {
            const mine = parts
              .filter((part) => part.of.from === of.from)
              .map((part) => fractionOf(part.share));
            const sum = mine.reduce(addFractions, { numerator: 0n, denominator: 1n });
            expect(sum, formatInstant(from)).to.deep.equal(fractionOf(share));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are refused with every fault at once', () => {
    expect(
      faultsOf({
        cadence: 'P1.5M',
        timezone: '+01:00',
        end: QUESTION.start - 1,
        scale: FRACTION_DECIMALS_MAX + 1,
        proration: { basis: 'none', leadingStub: 'aligned', daysPerMonth: 32 },
      }),
    ).to.deep.equal([
      '/cadence invalid_duration',
      '/timezone unknown_time_zone',
      '/end end_before_start',
      '/proration/daysPerMonth option_not_used',
      '/proration/leadingStub option_not_used',
      '/proration/daysPerMonth out_of_range',
      '/scale out_of_range',
    ]);
    expect(faultsOf({ anchor: { day: 32, month: 0 } })).to.deep.equal([
      '/anchor/day out_of_range',
      '/anchor/month out_of_range',
    ]);
    expect(faultsOf({ anchor: { day: 1 }, cadence: 'P1W' })).to.deep.equal(['/anchor anchor_misfit']);
    expect(faultsOf({ anchor: { weekday: 1 } })).to.deep.equal(['/anchor anchor_misfit']);
    expect(faultsOf({ anchor: { weekday: 0 }, cadence: 'P2W' })).to.deep.equal([
      '/anchor/weekday out_of_range',
    ]);
    expect(faultsOf({ anchor: 'calendar', cadence: 'P5M' })).to.deep.equal(['/anchor anchor_required']);
  });

  it('are bounded in number, and in time', () => {
    expect(faultsOf({ cadence: 'PT1M', anchor: 'start' })).to.deep.equal(['/until too_many_periods']);
    expect(faultsOf({ cadence: 'P999Y', anchor: 'start' })).to.deep.equal(['/cadence out_of_range']);
  });
});

describe('a rolling window', () => {
  const window = (length: string, at: string, zone = 'UTC'): string[] => {
    const { from, to } = rollingWindowAt(timeZone(zone), duration(length), instant(at));
    return [formatInstant(from), formatInstant(to)];
  };

  it('ends at its instant’s minute and goes back by the calendar, or by elapsed time', () => {
    expect(window('PT5H', '2026-03-29T04:30:59Z', 'Europe/Berlin')).to.deep.equal([
      '2026-03-28T23:30:00Z',
      '2026-03-29T04:30:00Z',
    ]);
    expect(window('P1M', '2026-03-31T00:00:00Z')[0]).to.equal('2026-02-28T00:00:00Z');
    // A local day of 23 hours.
    expect(window('P1D', '2026-03-29T10:00:00Z', 'Europe/Berlin')[0]).to.equal('2026-03-28T11:00:00Z');
  });

  it('moves on with time: neither end ever goes back', () => {
    const at = fc.integer({ min: instant('2009-01-01T00:00:00Z'), max: instant('2034-01-01T00:00:00Z') });
    const lengths = fc.constantFrom('PT7M', 'P1D', 'P1W', 'P1M', 'P1Y').map(duration);
    fc.assert(
      fc.property(
        at,
        fc.integer({ min: 0, max: 40 * MICROS_PER_DAY }),
        lengths,
        fc.constantFrom(...ZONES),
        (moment, later, length, name) => {
          const zone = timeZone(name);
          const [first, second] = [moment, moment + later].map((each) => rollingWindowAt(zone, length, each));
          expect(second!.from).to.be.at.least(first!.from);
          expect(second!.to).to.be.at.least(first!.to);
          expect(first!.to - first!.from).to.be.at.least(MICROS_PER_MINUTE);
        },
      ),
      { numRuns: 500 },
    );
  });
});
