import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_MINUTE } from '#domain/instant.ts';
import {
  customerAt,
  disownedFrom,
  ownedFrom,
  ownedSpans,
  ownersFrom,
  ownersOf,
} from '#infra/customers/ownership.ts';
import type { CustomerInterval } from '#infra/usage/tables.ts';

const minute = (count: number): number => count * MICROS_PER_MINUTE;
const MINUTES = 12;

type Change = { kind: 'own' | 'disown'; customer: string | null; at: number };
const changes = fc.array(
  fc.record({
    kind: fc.constantFrom('own' as const, 'disown' as const),
    customer: fc.constantFrom('a', 'b', 'c', null),
    at: fc.nat(minute(MINUTES)),
  }),
  { maxLength: 12 },
);

/** The same told minute by minute. */
function modelOf(list: readonly Change[]): (string | null)[] {
  const owners = new Array<string | null>(MINUTES + 1).fill(null);
  for (const { kind, customer, at } of list)
    for (let each = Math.floor(at / MICROS_PER_MINUTE); each <= MINUTES; each++)
      if (kind === 'own') owners[each] = customer;
      else if (owners[each] === customer) owners[each] = null;
  return owners;
}

const intervalsOf = (list: readonly Change[]): readonly CustomerInterval[] =>
  list.reduce<readonly CustomerInterval[]>((intervals, { kind, customer, at }) => {
    if (kind === 'own') return ownedFrom(intervals, customer, at);
    return customer === null ? intervals : disownedFrom(intervals, customer, at);
  }, []);

describe('the customers of a subject', () => {
  it('are at each minute who was last given that minute, through any changes', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const intervals = intervalsOf(list);
        const owners = modelOf(list);
        owners.forEach((owner, each) => {
          expect(customerAt({ customers: intervals }, minute(each))).to.equal(owner);
          expect(customerAt({ customers: intervals }, minute(each + 1) - 1)).to.equal(owner);
        });
      }),
    );
  });

  it('stand in order, in whole minutes, without neighbours that are one interval', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const intervals = intervalsOf(list);
        intervals.forEach(({ from, customer }, place) => {
          const before = intervals[place - 1];
          expect(from % MICROS_PER_MINUTE).to.equal(0);
          expect(customer).not.to.equal(before?.customer ?? null);
          if (before !== undefined) expect(from).to.be.above(before.from);
        });
      }),
    );
  });

  it('share out all owned time: their spans meet and never overlap', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const intervals = intervalsOf(list);
        for (const owner of ownersOf(intervals)) {
          for (const { from, to } of ownedSpans(intervals, owner)) {
            expect(customerAt({ customers: intervals }, from)).to.equal(owner);
            if (to === null) continue;
            expect(to).to.be.above(from);
            expect(customerAt({ customers: intervals }, to - 1)).to.equal(owner);
            expect(customerAt({ customers: intervals }, to)).not.to.equal(owner);
          }
        }
      }),
    );
  });

  it('from a time on are those that own a minute after it', () => {
    fc.assert(
      fc.property(changes, fc.nat(MINUTES), (list, from) => {
        const model = new Set(modelOf(list).slice(from));
        model.delete(null);
        expect([...ownersFrom(intervalsOf(list), minute(from))].sort()).to.deep.equal([...model].sort());
      }),
    );
  });

  it('are nobody before the first, and nobody where there is no row', () => {
    expect(customerAt(undefined, 5)).to.equal(null);
    expect(customerAt({ customers: ownedFrom([], 'a', minute(2)) }, minute(2) - 1)).to.equal(null);
  });
});
