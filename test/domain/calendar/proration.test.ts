import { expect } from 'chai';
import fc from 'fast-check';
import { fractionOf, shareOf, type Proration } from '#domain/calendar/proration.ts';
import { segmentsOf } from '#domain/calendar/segment.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import { MICROS_PER_DAY, MICROS_PER_MINUTE, floorToMinute } from '#domain/instant.ts';
import { NONE, WHOLE, compareFractions, sumFractions } from '#domain/money/fraction.ts';
import { instant } from './times.ts';
import { ZONES } from './zones.ts';

const span = (from: string, to: string): TimeWindow => ({ from: instant(from), to: instant(to) });
const shareIn = (part: TimeWindow, whole: TimeWindow, proration: Proration, zone = 'UTC'): string => {
  const share = shareOf(part, whole, timeZone(zone), proration);
  return `${share.part}/${share.whole} ${share.unit}`;
};

const FEBRUARY = span('2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z');
const NINE_DAYS = span('2026-02-01T00:00:00Z', '2026-02-10T12:00:00Z');

describe('proration', () => {
  it('counts minutes, local days, or nothing', () => {
    expect(shareIn(NINE_DAYS, FEBRUARY, { basis: 'exact' })).to.equal('13680/40320 minute');
    expect(shareIn(NINE_DAYS, FEBRUARY, { basis: 'day' })).to.equal('9/28 day');
    expect(shareIn(NINE_DAYS, FEBRUARY, { basis: 'none' })).to.equal('1/1 period');
  });

  it('counts the last day where that is asked for, but not one that a part ends at the first moment of', () => {
    const included = { basis: 'day', lastDay: 'included' } as const;
    expect(shareIn(NINE_DAYS, FEBRUARY, included)).to.equal('10/28 day');
    expect(shareIn({ ...NINE_DAYS, to: instant('2026-02-10T00:00:00Z') }, FEBRUARY, included)).to.equal(
      '9/28 day',
    );
  });

  it('counts months of one length where that is asked for', () => {
    const fixed = { basis: 'day', daysPerMonth: 30 } as const;
    const may = span('2026-05-23T00:00:00Z', '2026-06-15T00:00:00Z');
    expect(shareIn(may, span('2026-05-15T00:00:00Z', '2026-06-15T00:00:00Z'), fixed)).to.equal('22/30 day');
  });

  it('takes a local day as one, whatever its hours, from the first time that its midnight is shown', () => {
    const march = span('2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z');
    const change = span('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z');
    expect(shareIn(change, march, { basis: 'day' }, 'Europe/Berlin')).to.equal('1/31 day');
    expect(shareIn(change, march, { basis: 'exact' }, 'Europe/Berlin')).to.equal('1380/44580 minute');
    // At 00:01 of the 7th clocks went back to 23:01: what they show again belongs to the day that has begun.
    const twoDays = span('2010-11-06T02:30:00Z', '2010-11-08T03:30:00Z');
    const firstDay = { ...twoDays, to: instant('2010-11-07T03:00:00Z') };
    expect(shareIn(firstDay, twoDays, { basis: 'day' }, 'America/St_Johns')).to.equal('1/2 day');
  });

  it('of a part without length is nothing, or all where that is asked for; of what covers the whole it is all', () => {
    const empty = { from: FEBRUARY.from, to: FEBRUARY.from };
    expect(shareIn(empty, FEBRUARY, { basis: 'exact' })).to.equal('0/40320 minute');
    expect(shareIn(empty, FEBRUARY, { basis: 'exact', emptyIsFull: true })).to.equal('40320/40320 minute');
    const longer = { from: FEBRUARY.from - MICROS_PER_DAY, to: FEBRUARY.to + MICROS_PER_DAY };
    expect(shareIn(longer, FEBRUARY, { basis: 'day' })).to.equal('28/28 day');
  });

  it('of a whole within one day goes by minutes, since it has no days', () => {
    const whole = span('2026-02-10T10:00:00Z', '2026-02-10T14:00:00Z');
    expect(shareIn({ ...whole, to: whole.from + 60 * MICROS_PER_MINUTE }, whole, { basis: 'day' })).to.equal(
      '60/240 minute',
    );
  });
});

describe('segments', () => {
  const first = instant('2009-01-01T00:00:00Z');
  const lasts = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 800 * 1_440 }));
  const periods = fc
    .tuple(fc.integer({ min: first, max: instant('2034-01-01T00:00:00Z') }), lasts)
    .map(([from, minutes]) => ({
      from: floorToMinute(from),
      to: floorToMinute(from) + minutes * MICROS_PER_MINUTE,
    }));
  /** Inside, outside, at the edges, and twice the same. */
  const changed = periods.chain((period) => {
    const length = period.to - period.from;
    const moments = fc.oneof(fc.integer({ min: -1_000, max: length + 1_000 }), fc.constantFrom(0, length));
    return fc.record({
      period: fc.constant(period),
      changes: fc.array(
        moments.map((at) => period.from + at),
        { maxLength: 8 },
      ),
    });
  });
  const zones = fc.constantFrom(...ZONES).map(timeZone);

  it('are contiguous, cover their period, and begin where something changes', () => {
    fc.assert(
      fc.property(changed, ({ period, changes }) => {
        const segments = segmentsOf(period, changes);
        expect(segments[0]?.from).to.equal(period.from);
        expect(segments.at(-1)?.to).to.equal(period.to);
        const minutes = new Set(changes.map(floorToMinute));
        segments.forEach(({ from, to }, at) => {
          expect(from).to.be.lessThan(to);
          if (at > 0) expect([from === segments[at - 1]!.to, minutes.has(from)]).to.deep.equal([true, true]);
        });
        const inside = [...minutes].filter((at) => at > period.from && at < period.to);
        expect(segments).to.have.length(inside.length + 1);
        expect(segmentsOf(period, changes.toReversed())).to.deep.equal(segments);
      }),
    );
  });

  it('are fractions of their period that sum to 1, by minutes and by days, in any zone', () => {
    fc.assert(
      fc.property(changed, zones, fc.constantFrom('exact', 'day'), ({ period, changes }, zone, basis) => {
        const parts = segmentsOf(period, changes).map((part) =>
          fractionOf(shareOf(part, period, zone, { basis })),
        );
        expect(sumFractions(parts)).to.deep.equal(WHOLE);
        for (const part of parts) expect(compareFractions(part, NONE)).to.be.at.least(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of months of 30 days sum to 1 too, as months and years do', () => {
    const year = span('2026-01-15T00:00:00Z', '2027-01-15T00:00:00Z');
    const cuts = fc.array(fc.integer({ min: year.from, max: year.to }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (changes) => {
        const rule = { basis: 'day', daysPerMonth: 30 } as const;
        const parts = segmentsOf(year, changes).map((part) =>
          fractionOf(shareOf(part, year, timeZone('UTC'), rule)),
        );
        expect(sumFractions(parts)).to.deep.equal(WHOLE);
      }),
    );
  });

  it('with their last day counted come to no less than without, and never to more than all', () => {
    fc.assert(
      fc.property(changed, zones, ({ period, changes }, zone) => {
        for (const part of segmentsOf(period, changes)) {
          const [without, counted] = (['excluded', 'included'] as const).map((lastDay) =>
            fractionOf(shareOf(part, period, zone, { basis: 'day', lastDay })),
          );
          expect(compareFractions(counted!, without!)).to.be.at.least(0);
          expect(compareFractions(counted!, WHOLE)).to.be.at.most(0);
        }
      }),
    );
  });
});
