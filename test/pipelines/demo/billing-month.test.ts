import { expect } from 'chai';
import { billingPeriods } from '#domain/calendar/billing-period.ts';
import { parseDuration } from '#domain/calendar/duration.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import { lastBillableMidnight, monthUntil } from '#pipelines/demo/billing-month.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

describe('the month that the demo bills', () => {
  it('is one whole period for a subscription whose periods are counted from its end, on any day of four years', () => {
    const every = parseDuration('P1M');
    if (every === undefined) throw new Error('a month is a duration');
    for (let midnight = Date.UTC(2027, 0, 1); midnight < Date.UTC(2031, 0, 1); midnight += DAY_MS) {
      const { from, to } = monthUntil(midnight);
      const rule = { every, anchor: Date.parse(to) * 1_000, zone: timeZone('UTC') };
      const [first] = billingPeriods(rule, { start: Date.parse(from) * 1_000 });
      expect(first?.stub, from).to.equal(null);
      expect(first?.to, to).to.equal(midnight * 1_000);
    }
  });

  it('ends at a midnight that is two hours ago: one of lateness, one of grace', () => {
    const midnight = Date.UTC(2026, 10, 23);
    expect(lastBillableMidnight(midnight + 2 * HOUR_MS)).to.equal(midnight);
    expect(lastBillableMidnight(midnight + 2 * HOUR_MS - 1)).to.equal(midnight - DAY_MS);
    expect(lastBillableMidnight(midnight + 26 * HOUR_MS - 1)).to.equal(midnight);
  });
});
