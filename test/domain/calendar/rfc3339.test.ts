import { expect } from 'chai';
import fc from 'fast-check';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_MILLI } from '#domain/instant.ts';

/** 1685-01-01 to 2255-01-01: where microseconds are exact. */
const EARLIEST = -8_993_721_600_000_000;
const LATEST = 8_993_721_600_000_000;

describe('RFC 3339', () => {
  it('reads back exactly what it wrote, for every exact instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: EARLIEST, max: LATEST }), (at) => {
        expect(parseRfc3339(formatInstant(at))).to.deep.equal({ at });
      }),
    );
  });

  it('agrees with the platform on every millisecond of the years 0 to 9999 where microseconds are exact', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: EARLIEST / MICROS_PER_MILLI, max: LATEST / MICROS_PER_MILLI }),
        (millis) => {
          const text = new Date(millis).toISOString();
          expect(parseRfc3339(text)).to.deep.equal({ at: millis * MICROS_PER_MILLI });
        },
      ),
    );
  });

  const readings: [string, number][] = [
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01t00:00:00z', 0],
    ['1970-01-01T00:00:00-00:00', 0],
    ['1970-01-01T01:00:00.5+01:00', 500_000],
    ['1969-12-31T23:59:59.999999Z', -1],
    ['1970-01-01T00:00:00.1234567891234Z', 123_456],
    ['1970-01-01T00:00:00.000001Z', 1],
    ['1970-01-02T05:45:00+05:45', 86_400_000_000],
    ['1970-01-01T23:59:00+23:59', 0],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000],
    ['2000-02-29T00:00:00Z', 951_782_400_000_000],
  ];
  for (const [text, at] of readings) {
    it(`reads ${text}`, () => expect(parseRfc3339(text)).to.deep.equal({ at }));
  }

  const refused = [
    '',
    '2026-03-01',
    '2026-03-01T00:00:00',
    '2026-03-01 00:00:00Z',
    '2026-03-01T00:00Z',
    '2026-03-01T00:00:60Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T00:60:00Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-1-01T00:00:00Z0',
    '-026-01-01T00:00:00Z',
    '+2026-01-01T00:00:00Z',
    '12026-01-01T00:00:00Z',
    '2026-03-01T00:00:00.Z',
    '2026-03-01T00:00:00,5Z',
    '2026-03-01T00:00:00.5',
    '2026-03-01T00:00:00.5x',
    '2026-03-01T00:00:00Zx',
    '2026-03-01T00:00:00 Z',
    ' 2026-03-01T00:00:00Z',
    '2026-03-01T00:00:00+1:00',
    '2026-03-01T00:00:00+0100',
    '2026-03-01T00:00:00+24:00',
    '2026-03-01T00:00:00+01:60',
    '2026-03-01T00:00:00+01:00Z',
    '2026-03-01T00:00:00\u221201:00',
    '2026-03-0\u0661T00:00:00Z',
    '2026-03-01T0x:00:00Z',
    '20 6-03-01T00:00:00Z',
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(parseRfc3339(text)).to.equal(undefined));
  }

  it('keeps far years in their order, though their microseconds are not exact', () => {
    const years = [
      '0000-01-01',
      '0001-01-01',
      '1500-01-01',
      '1969-01-01',
      '2026-01-01',
      '2300-01-01',
      '9999-12-31',
    ];
    const instants = years.map((date) => parseRfc3339(`${date}T00:00:00Z`)?.at ?? NaN);
    expect(instants).to.deep.equal(instants.toSorted((a, b) => a - b));
    expect(new Set(instants).size).to.equal(years.length);
    expect(Number.isSafeInteger(instants.at(-1))).to.equal(false);
  });

  it('writes no more of a fraction than it needs', () => {
    expect(formatInstant(0)).to.equal('1970-01-01T00:00:00Z');
    expect(formatInstant(500_000)).to.equal('1970-01-01T00:00:00.5Z');
    expect(formatInstant(-1)).to.equal('1969-12-31T23:59:59.999999Z');
    expect(formatInstant(1_000)).to.equal('1970-01-01T00:00:00.001Z');
  });

  it('refuses to write what is no exact instant', () => {
    for (const at of [NaN, Infinity, 0.5, 2 ** 53])
      expect(() => formatInstant(at)).to.throw(RangeError, 'not an exact instant');
  });
});
