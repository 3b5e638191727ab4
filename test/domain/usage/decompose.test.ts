import { expect } from 'chai';
import fc from 'fast-check';
import { decompose, decomposeByDay, type Decomposition } from '#domain/usage/decompose.ts';
import {
  HOURS_PER_DAY,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MINUTES_PER_HOUR,
} from '#domain/instant.ts';

const MINUTES_PER_DAY = HOURS_PER_DAY * MINUTES_PER_HOUR;

/** The parts as ranges of whole minutes since the epoch, in order. */
const minuteRanges = ({ days, hours, minutes }: Decomposition): [number, number][] =>
  [
    ...days.map(({ from, to }): [number, number] => [from * MINUTES_PER_DAY, to * MINUTES_PER_DAY]),
    ...hours.map(({ from, to }): [number, number] => [from * MINUTES_PER_HOUR, to * MINUTES_PER_HOUR]),
    ...minutes.map(({ hour, fromMinute, toMinute }): [number, number] => [
      hour * MINUTES_PER_HOUR + fromMinute,
      hour * MINUTES_PER_HOUR + toMinute,
    ]),
  ].sort(([a], [b]) => a - b);

const minute = fc.integer({ min: -5 * MINUTES_PER_DAY, max: 5 * MINUTES_PER_DAY });
const rolled = fc.integer({ min: -7, max: 7 });

describe('decomposition', () => {
  it('is disjoint and covers exactly the range, with no part empty and at most five of them', () => {
    fc.assert(
      fc.property(minute, minute, rolled, (a, b, rolledThrough) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const parts = minuteRanges(
          decompose(from * MICROS_PER_MINUTE, to * MICROS_PER_MINUTE, rolledThrough),
        );
        let end = from;
        for (const part of parts) {
          expect(part[0]).to.equal(end);
          expect(part[1]).to.be.above(part[0]);
          end = part[1];
        }
        expect(end).to.equal(to);
        expect(parts.length).to.be.at.most(5);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes day cells of all whole days that are rolled and of no others, and minutes of no whole hour', () => {
    fc.assert(
      fc.property(minute, minute, rolled, (a, b, rolledThrough) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const { days, minutes } = decompose(from * MICROS_PER_MINUTE, to * MICROS_PER_MINUTE, rolledThrough);
        const inDays = (day: number): boolean => days.some((range) => range.from <= day && day < range.to);
        for (let day = -8; day <= 8; day++) {
          const isWhole = day * MINUTES_PER_DAY >= from && (day + 1) * MINUTES_PER_DAY <= to;
          expect(inDays(day), String(day)).to.equal(isWhole && day <= rolledThrough);
        }
        for (const { fromMinute, toMinute } of minutes) {
          expect(fromMinute >= 0 && toMinute <= MINUTES_PER_HOUR).to.equal(true);
          expect(toMinute - fromMinute).to.be.below(MINUTES_PER_HOUR);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('moves both ends down to whole minutes', () => {
    const parts = decompose(MICROS_PER_HOUR + 59_999_999, 2 * MICROS_PER_HOUR + 60_000_001, -1);
    expect(parts).to.deep.equal({
      days: [],
      hours: [{ from: 1, to: 2 }],
      minutes: [{ hour: 2, fromMinute: 0, toMinute: 1 }],
    });
  });

  it('of a month east of UTC is its whole days, the hours around them and two edge hours', () => {
    const halfHour = MICROS_PER_HOUR / 2;
    const start = 18 * MICROS_PER_HOUR + halfHour;
    expect(decompose(start, start + 30 * MICROS_PER_DAY, 100)).to.deep.equal({
      days: [{ from: 1, to: 30 }],
      hours: [
        { from: 19, to: 24 },
        { from: 720, to: 738 },
      ],
      minutes: [
        { hour: 18, fromMinute: 30, toMinute: 60 },
        { hour: 738, fromMinute: 0, toMinute: 30 },
      ],
    });
  });

  it('by day is contiguous and stays within its days', () => {
    fc.assert(
      fc.property(minute, minute, (a, b) => {
        let end = Math.min(a, b);
        for (const { day, fromMinute, toMinute } of decomposeByDay(
          end * MICROS_PER_MINUTE,
          Math.max(a, b) * MICROS_PER_MINUTE,
        )) {
          expect(day * MINUTES_PER_DAY + fromMinute).to.equal(end);
          expect(fromMinute >= 0 && fromMinute < toMinute && toMinute <= MINUTES_PER_DAY).to.equal(true);
          end = day * MINUTES_PER_DAY + toMinute;
        }
        expect(end).to.equal(Math.max(a, b));
      }),
    );
  });
});
