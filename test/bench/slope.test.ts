import { expect } from 'chai';
import * as fc from 'fast-check';
import { slopeOf, type Point } from '#bench/slope.ts';

const LINE = fc.record({
  from: fc.integer({ min: -1_000, max: 1_000 }),
  rise: fc.integer({ min: -50, max: 50 }),
  length: fc.integer({ min: 5, max: 40 }),
});
const lineOf = ({ from, rise, length }: { from: number; rise: number; length: number }): Point[] =>
  Array.from({ length }, (_, at) => [at, from + rise * at]);

describe('the slope of samples', () => {
  it('is that of their line, though one of them lies far from it', () => {
    fc.assert(
      fc.property(LINE, fc.nat(), fc.integer({ min: 1, max: 1_000_000 }), (line, which, off) => {
        const outlier = which % line.length;
        const points = lineOf(line).map(([at, value]): Point => [at, at === outlier ? value + off : value]);
        expect(slopeOf(points)).to.equal(line.rise);
      }),
    );
  });

  it('is none of what goes up and down by as much', () => {
    const saw = Array.from({ length: 60 }, (_, at): Point => [at, at % 6]);
    expect(Math.abs(slopeOf(saw))).to.be.below(0.05);
  });

  it('is no number of one sample, or of one time', () => {
    expect(slopeOf([[1, 1]])).to.be.NaN;
    expect(
      slopeOf([
        [1, 1],
        [1, 2],
      ]),
    ).to.be.NaN;
  });
});
