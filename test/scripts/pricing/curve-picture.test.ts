import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { PRICE_CURVE_POINTS_MAX } from '#domain/limits.ts';
import { axisUpTo, ticksOf } from '../../../scripts/pricing/axis.ts';
import { curvePath, type Place } from '../../../scripts/pricing/curve-path.ts';
import { curvePicture } from '../../../scripts/pricing/curve-picture.ts';
import { curvesOf } from '../../../scripts/pricing/curves.ts';
import { examplesOf, type PricingExample } from '../../../scripts/pricing/examples.ts';

const guide = await readFile(new URL('../../../docs/guides/pricing.md', import.meta.url), 'utf8');
const pictured = examplesOf(guide).filter(({ picture }) => picture);

describe('an axis', () => {
  it('ends at or after what it has to hold, in round steps and no more of them than asked', () => {
    const ends: [number, readonly number[]][] = [
      [150, [0, 50, 100, 150]],
      [25_000, [0, 10_000, 20_000, 30_000]],
      [1_000, [0, 250, 500, 750, 1_000]],
      [6.9, [0, 2, 4, 6, 8]],
      [1, [0, 0.25, 0.5, 0.75, 1]],
    ];
    for (const [most, ticks] of ends) expect(ticksOf(axisUpTo(most, 4))).to.deep.equal(ticks);
  });
});

describe('the path of a curve', () => {
  it('keeps only the places where it bends', () => {
    const straight = Array.from({ length: 50 }, (_, x): Place => [x, 2 * x]);
    const bent = Array.from({ length: 50 }, (_, x): Place => [50 + x, 100]);
    expect(curvePath([...straight, ...bent])).to.deep.equal({
      pieces: ['M0 0 L50 100 L99 100'],
      jumps: [],
    });
  });

  it('is cut where it jumps, also where it begins with a jump', () => {
    expect(
      curvePath([
        [0, 0],
        [0, 8],
        [10, 8],
        [10, 16],
        [20, 16],
      ]),
    ).to.deep.equal({
      pieces: ['M0 8 L10 8', 'M10 16 L20 16'],
      jumps: [
        [
          [0, 0],
          [0, 8],
        ],
        [
          [10, 8],
          [10, 16],
        ],
      ],
    });
  });
});

describe('the picture of a price curve', () => {
  const named = (path: string): PricingExample =>
    pictured.find(({ picture }) => picture?.path === `pricing/${path}.svg`)!;

  it('has its example on the curve', () => {
    for (const { question, picture } of pictured) {
      const { curves, amounts, quantities } = curvesOf(question);
      for (const { points, example } of curves) {
        const [quantity, amount] = example;
        const after = points.findIndex(([x]) => x >= quantity);
        const [low, high] = [points[after - 1]![1], points[after]![1]];
        expect(amount, picture?.path).to.be.within(Math.min(low, high) - 0.005, Math.max(low, high) + 0.005);
        expect(quantity).to.be.below(quantities.end);
        expect(points.length).to.be.at.most(PRICE_CURVE_POINTS_MAX);
        for (const [, y] of points) expect(y).to.be.within(0, amounts.end);
      }
    }
  });

  it('says what it shows, and is drawn for light and for dark pages', () => {
    for (const example of pictured) {
      const svg = curvePicture(example);
      expect(svg).to.include(`<desc id="description">${example.picture!.description}</desc>`);
      expect(svg).to.include('role="img"').and.to.include('prefers-color-scheme: dark');
      expect(svg).not.to.match(/NaN|undefined|Infinity/);
    }
  });

  it('shows the jumps of a volume price and the steps of packages', () => {
    const jumps = (path: string): number => curvePicture(named(path)).match(/class="jump"/g)?.length ?? 0;
    expect(jumps('volume')).to.equal(2);
    expect(jumps('package')).to.equal(6);
    expect(jumps('graduated')).to.equal(0);
  });

  it('has a curve for each group of a matrix', () => {
    expect(curvesOf(named('matrix').question).curves.map(({ name }) => name)).to.deep.equal([
      'us',
      'eu',
      'ap',
    ]);
  });
});
