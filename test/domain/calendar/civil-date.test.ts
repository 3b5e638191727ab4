import { expect } from 'chai';
import fc from 'fast-check';
import { civilOfDays, daysInMonth, daysOfCivil, parseCivilDate } from '#domain/calendar/civil-date.ts';

const MILLIS_PER_DAY = 86_400_000;

describe('civil dates', () => {
  it('agree with the platform for every day of the years 0 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_528, max: 2_932_896 }), (days) => {
        const date = new Date(days * MILLIS_PER_DAY);
        const expected = {
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        };
        expect(civilOfDays(days)).to.deep.equal(expected);
        expect(daysOfCivil(expected.year, expected.month, expected.day)).to.equal(days);
      }),
      { numRuns: 1_000 },
    );
  });

  it('have a leap day every fourth year but in centuries that 400 does not divide', () => {
    expect([2023, 2024, 1900, 2000, 0].map((year) => daysInMonth(year, 2))).to.deep.equal([
      28, 29, 28, 29, 29,
    ]);
  });

  it('are read as they are written, and only days that exist', () => {
    expect(parseCivilDate('2024-02-29')).to.deep.equal({ year: 2024, month: 2, day: 29 });
    for (const text of [
      '2026-02-29',
      '2026-02-31',
      '2026-00-10',
      '2026-13-01',
      '2026-01-00',
      '2026-1-1',
      '26-01-01',
      ' 2026-01-01',
      '2026-01-01T00:00:00Z',
      '',
    ])
      expect(parseCivilDate(text), text).to.equal(undefined);
  });
});
