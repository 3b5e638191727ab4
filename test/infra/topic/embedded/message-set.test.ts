import { expect } from 'chai';
import fc from 'fast-check';
import {
  difference,
  indexesOf,
  intersection,
  range,
  setOf,
  split,
} from '#infra/topic/embedded/message-set.ts';
import type { MessageSet } from '#infra/topic/embedded/message-set.ts';

const indexes = fc.array(fc.nat({ max: 70 }), { maxLength: 60 });
const sets: fc.Arbitrary<MessageSet> = fc.oneof(
  indexes.map(setOf),
  fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 40 })).map(([first, size]) => range(first, first + size)),
);
const members = (set: MessageSet): number[] => Array.from(indexesOf(set));
const rising = (values: Iterable<number>): number[] => Array.from(new Set(values)).sort((a, b) => a - b);

describe('a set of messages', () => {
  it('has the members it was made of, each once', () => {
    fc.assert(
      fc.property(indexes, (given) => {
        const set = setOf(given);
        expect(members(set)).to.deep.equal(rising(given));
        expect(set.size).to.equal(rising(given).length);
      }),
    );
  });

  it('subtracts and intersects like a set of numbers', () => {
    fc.assert(
      fc.property(sets, sets, (one, other) => {
        const others = new Set(members(other));
        expect(members(difference(one, other))).to.deep.equal(
          members(one).filter((index) => !others.has(index)),
        );
        expect(members(intersection(one, other))).to.deep.equal(
          members(one).filter((index) => others.has(index)),
        );
      }),
    );
  });

  it('splits into its first members and the others', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 80 }), (set, count) => {
        const [taken, rest] = split(set, count);
        expect(taken.size + rest.size).to.equal(set.size);
        expect([members(taken), members(rest)]).to.deep.equal([
          members(set).slice(0, count),
          members(set).slice(count),
        ]);
      }),
    );
  });

  it('keeps no bits where nothing is missing', () => {
    expect(setOf([5, 3, 4, 3])).to.deep.equal(range(3, 6));
    expect(difference(range(0, 100), range(0, 40))).to.deep.equal(range(40, 100));
  });
});
