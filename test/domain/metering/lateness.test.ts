import { expect } from 'chai';
import { FUTURE_MICROS, HORIZON_MICROS } from '#domain/limits.ts';
import { judgeAge } from '#domain/metering/lateness.ts';
import { NOON } from './sample-events.ts';

describe('the age of an event', () => {
  for (const [what, time, reason] of [
    ['at its publish time', NOON, undefined],
    ['at the horizon', NOON - HORIZON_MICROS, undefined],
    ['a microsecond beyond the horizon', NOON - HORIZON_MICROS - 1, 'too_old'],
    ['at the bound of the future', NOON + FUTURE_MICROS, undefined],
    ['a microsecond beyond it', NOON + FUTURE_MICROS + 1, 'in_the_future'],
    ['where microseconds are not exact any more', 253_402_300_799_999_999, 'in_the_future'],
    ['before the common era', -62_167_219_200_000_001, 'too_old'],
  ] as const) {
    it(`${what} is ${reason ?? 'accepted'}`, () => expect(judgeAge(time, NOON)?.reason).to.equal(reason));
  }

  it('is 45 days and 5 minutes at most', () => {
    expect([HORIZON_MICROS, FUTURE_MICROS]).to.deep.equal([45 * 86_400_000_000, 300_000_000]);
  });
});
