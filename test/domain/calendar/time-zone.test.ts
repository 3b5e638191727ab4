import { expect } from 'chai';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { UnknownTimeZoneError, isTimeZone, timeZone } from '#domain/calendar/time-zone.ts';
import { MICROS_PER_MILLI, MICROS_PER_SECOND } from '#domain/instant.ts';
import { ZONES } from './zones.ts';

/** The first day of a year, or of its July for a half more. */
const year = (value: number): number =>
  Date.UTC(Math.floor(value), value % 1 === 0 ? 0 : 6, 1) * MICROS_PER_MILLI;

describe('time zones', () => {
  it('answer the offset of the zone data at every instant, in whatever order they are asked', () => {
    const seconds = fc.integer({ min: year(1850) / MICROS_PER_SECOND, max: year(2100) / MICROS_PER_SECOND });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), seconds, (name, second) => {
        const zoned = Temporal.Instant.fromEpochMilliseconds(second * 1_000).toZonedDateTimeISO(name);
        const span = timeZone(name).spanAt(second * MICROS_PER_SECOND);
        expect(span.offsetMicros).to.equal(zoned.offsetNanoseconds / 1_000);
        expect(span.from).to.be.at.most(second * MICROS_PER_SECOND);
        expect(span.to).to.be.above(second * MICROS_PER_SECOND);
      }),
      { numRuns: 400 },
    );
  });

  it('have spans that meet: each begins where the one before ends', () => {
    for (const name of ZONES) {
      const zone = timeZone(name);
      for (let span = zone.spanAt(year(2000)); span.to < year(2040);) {
        const next = zone.spanAt(span.to);
        expect(next.from, name).to.equal(span.to);
        expect(zone.spanAt(span.to - 1), name).to.deep.equal(span);
        span = next;
      }
    }
  });

  it('go on answering right when more spans have been asked for than are kept', () => {
    const zone = timeZone('America/New_York');
    const before = zone.spanAt(year(2024));
    for (let y = 1_900; y < 3_500; y++) [year(y), year(y + 0.5)].forEach((instant) => zone.spanAt(instant));
    expect(zone.spanAt(year(2024))).to.deep.equal(before);
  });

  it('are found by name in any case and keep the spelling of the zone data', () => {
    expect(timeZone('europe/berlin').name).to.equal('Europe/Berlin');
    expect(timeZone('europe/berlin')).to.equal(timeZone('Europe/Berlin'));
    expect(timeZone('Asia/Calcutta').spanAt(0).offsetMicros).to.equal(19_800_000_000);
  });

  const refused = [
    '',
    'Z',
    '+01:00',
    '-0530',
    'Mars/Olympus',
    'Europe/',
    '/Europe',
    'Europe/Berlin ',
    '2024-01-01T00:00[UTC]',
    'x'.repeat(65),
  ];
  for (const name of refused) {
    it(`refuse ${JSON.stringify(name)}, which is no IANA name`, () => {
      expect(isTimeZone(name)).to.equal(false);
      expect(() => timeZone(name)).to.throw(UnknownTimeZoneError, 'not an IANA time zone');
    });
  }
});
