import { expect } from 'chai';
import fc from 'fast-check';
import { timeZone } from '#domain/calendar/time-zone.ts';
import { windowAt } from '#domain/calendar/window.ts';
import { MICROS_PER_MINUTE } from '#domain/instant.ts';
import { ZONES } from '#test/domain/calendar/zones.ts';
import { MARCH, at, evaluate, event, values, type Asked } from './ask.ts';

describe("another system's rule, asked of the calculator of usage,", () => {
  const one = [event('2026-03-02T10:10:00Z', { n: -2.5, model: 'a' })];

  it('emptyIsZero: makes an empty window of min, max, average and latest 0', () => {
    for (const aggregation of ['min', 'max', 'average', 'latest'] as const) {
      expect(values(evaluate([], { meter: { aggregation } }))).to.deep.equal([null]);
      expect(values(evaluate([], { meter: { aggregation }, query: { emptyIsZero: true } }))).to.deep.equal([
        '0',
      ]);
    }
  });

  it('floorAtZero: makes what is below 0 zero and leaves null alone', () => {
    const query = { floorAtZero: true };
    expect(values(evaluate(one, { query }))).to.deep.equal(['0']);
    expect(values(evaluate([], { query, meter: { aggregation: 'max' } }))).to.deep.equal([null]);
  });

  it('rounding: rounds to any power of ten, a half away from zero', () => {
    const rounded = (n: string, name: 'round' | 'ceil' | 'floor', scale: number): string | null =>
      values(
        evaluate([event('2026-03-02T00:00:00Z', { n })], { query: { rounding: { function: name, scale } } }),
      )[0]!;
    expect(rounded('123.456', 'round', 2)).to.equal('123.46');
    expect(rounded('-2.5', 'round', 0)).to.equal('-3');
    expect(rounded('-2.5', 'ceil', 0)).to.equal('-2');
    expect(rounded('-0.4', 'round', 0)).to.equal('0');
    expect(rounded('123.456', 'ceil', -2)).to.equal('200');
    expect(rounded('99999999999999999999.999999999999999999', 'round', 18)).to.equal(
      '99999999999999999999.999999999999999999',
    );
    expect(rounded('99999999999999999999.999999999999999999', 'floor', 17)).to.equal(
      '99999999999999999999.99999999999999999',
    );
  });

  it('omitEmpty: leaves out windows without usage, over all subjects together', () => {
    const events = [...one, event('2026-03-04T00:00:00Z', { n: 2.5 }, { subject: 'other' })];
    const query = { window: 'day', omitEmpty: true } as const;
    const { rows } = evaluate(events, { query });
    expect(rows).to.deep.equal([
      { from: at('2026-03-02T00:00:00Z'), to: at('2026-03-03T00:00:00Z'), value: '-2.5' },
      { from: at('2026-03-04T00:00:00Z'), to: at('2026-03-05T00:00:00Z'), value: '2.5' },
    ]);
    // Usage that comes to 0 is usage.
    const zero = event('2026-03-09T00:00:00Z', { n: 0 });
    expect(values(evaluate([zero], { query }))).to.deep.equal(['0']);
  });

  it('align: widens the range to the whole windows of its zone that it touches, and counts what is in them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.constantFrom('minute', 'hour', 'day', 'month'),
        fc.integer({ min: 0, max: 600 * 24 * 60 }),
        fc.integer({ min: 1, max: 180 }),
        (timezone, window, start, length) => {
          const from = at('2024-01-01T00:00:00Z') + start * MICROS_PER_MINUTE;
          const to = from + length * MICROS_PER_MINUTE;
          const answer = evaluate([], { query: { from, to, window, timezone, align: 'widen' } });
          const zone = timeZone(timezone);
          const whole = answer.rows.map((row) => windowAt(zone, window, row.from));
          expect(answer.rows.map(({ from: start, to: end }) => ({ from: start, to: end }))).to.deep.equal(
            whole,
          );
          expect(answer.from).to.be.at.most(from);
          expect(answer.to).to.be.at.least(to);
          expect(whole[0]!.to).to.be.above(from);
          expect(whole.at(-1)!.from).to.be.below(to);
        },
      ),
      { numRuns: 150 },
    );
    const query = {
      from: at('2026-03-02T10:15:00Z'),
      to: at('2026-03-02T10:20:00Z'),
      window: 'hour',
    } as const;
    expect(values(evaluate(one, { query }))).to.deep.equal(['0']);
    expect(values(evaluate(one, { query: { ...query, align: 'widen' } }))).to.deep.equal(['-2.5']);
  });

  it('align: has no whole window of a range that is its own window', () => {
    const query = { window: 'none', align: 'widen' } as const;
    expect(evaluate([], { query })).to.include({ from: MARCH.query.from, to: MARCH.query.to });
  });

  it('initialLevel: is the level at the start, in place of what happened before', () => {
    const day = { from: at('2026-03-02T00:00:00Z'), to: at('2026-03-03T00:00:00Z') };
    const events = [
      event('2026-03-01T12:00:00Z', { n: 100 }),
      event('2026-03-02T00:00:00Z', { n: 2 }),
      event('2026-03-02T06:00:00Z', { n: 3 }),
    ];
    const level = (initialLevel?: string, more: Asked['query'] = {}): (string | null)[] =>
      values(
        evaluate(events, {
          meter: { aggregation: 'timeWeightedSum' },
          query: { ...day, ...more, ...(initialLevel === undefined ? {} : { initialLevel }) },
        }),
      );
    expect(level()).to.deep.equal(['104.25']);
    expect(level('0')).to.deep.equal(['4.25']);
    expect(level('-1.5')).to.deep.equal(['2.75']);
    expect(level('10', { filter: { model: ['nobody'] } })).to.deep.equal(['10']);
    expect(level('1', { to: at('2026-03-04T00:00:00Z'), window: 'day' })).to.deep.equal(['5.25', '6']);
    // In the middle of a day, where a level comes from the day's start and what happened in it until then.
    expect(level('1', { from: at('2026-03-02T12:00:00Z') })).to.deep.equal(['1']);
  });
});
