import { expect } from 'chai';
import fc from 'fast-check';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import type { BillingItem, ChargeItem } from '#domain/subscriptions/billing-item.ts';
import { billingItems } from '#domain/subscriptions/billing-items.ts';
import { chargesAt } from '#domain/subscriptions/charges-in-force.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { after, begin, stories, told, UNTIL_DAYS, versions } from './arbitrary-subscription.ts';

const at = (text: string): Instant => parseRfc3339(text)?.at ?? NaN;
const untilOf = ({ startAt }: Subscription): Instant => startAt + UNTIL_DAYS * MICROS_PER_DAY;

const itemsOf = (subscription: Subscription, until = untilOf(subscription)): BillingItem[] => [
  ...billingItems(subscription, versions, { until }),
];
const isCharge = (item: BillingItem): item is ChargeItem => 'segments' in item;
const periodic = (items: readonly BillingItem[]): ChargeItem[] =>
  items.filter(isCharge).filter(({ kind }) => kind !== 'once');
const ofCharge = (items: readonly BillingItem[], key: string): ChargeItem[] =>
  items.filter(isCharge).filter(({ charge }) => charge === key);

/** Where anything begins or ends, the minute before, and some minutes between. */
function interestingMinutes(subscription: Subscription, items: readonly BillingItem[]): Instant[] {
  const until = untilOf(subscription);
  const edges = [
    subscription.startAt,
    ...subscription.terms.map(({ from }) => from),
    ...(subscription.endAt === null ? [] : [subscription.endAt]),
    ...items.flatMap(({ period }) => [period.from, period.to, period.period.from]),
    ...items.filter(isCharge).flatMap(({ segments }) => segments.flatMap(({ from, to }) => [from, to])),
  ];
  return [
    ...new Set(edges.flatMap((edge) => [edge - MICROS_PER_MINUTE, edge, edge + 777 * MICROS_PER_MINUTE])),
  ].filter((minute) => minute < until);
}

describe('billing items', () => {
  it('have every minute of every charge in force exactly once, as it is in force, and no other minute', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const subscription = told(story);
        const items = periodic(itemsOf(subscription));
        for (const minute of interestingMinutes(subscription, items)) {
          const covering = items
            .flatMap(({ charge, segments }) => segments.map((segment) => ({ charge, segment })))
            .filter(({ segment }) => segment.from <= minute && minute < segment.to)
            .map(({ charge, segment }) => [
              charge,
              segment.charge.meter ?? null,
              segment.seats,
              segment.charge.discount ?? null,
            ])
            .sort();
          const inForce = chargesAt(subscription, versions, minute)
            .filter(({ kind }) => kind !== 'once')
            .map(({ charge, seats }) => [charge.key, charge.meter ?? null, seats, charge.discount ?? null])
            .sort();
          expect(covering).to.deep.equal(inForce);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are cut into periods that meet, each a whole period of its rule but where its run begins or ends', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const items = itemsOf(told(story));
        for (const list of Map.groupBy(periodic(items), ({ charge }) => charge).values()) {
          const inOrder = list.toSorted((a, b) => a.period.from - b.period.from);
          inOrder.forEach(({ period }, index) => {
            const next = inOrder[index + 1];
            if (next) expect(period.to).to.be.at.most(next.period.from);
            expect(period.from).to.be.lessThan(period.to);
            expect(period.from).to.be.at.least(period.period.from);
            expect(period.to).to.be.at.most(period.period.to);
            expect(period.from % MICROS_PER_MINUTE).to.equal(0);
            expect(period.stub === null).to.equal(
              period.from === period.period.from && period.to === period.period.to,
            );
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('have segments in order inside their period that leave out nothing but pauses', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const subscription = told(story);
        const pausedAt = (minute: Instant): boolean =>
          subscription.terms.findLast(({ from }) => from <= minute)?.paused ?? false;
        for (const { period, segments } of periodic(itemsOf(subscription))) {
          const edges = [period.from, ...segments.flatMap(({ from, to }) => [from, to]), period.to];
          edges.reduce((before, edge) => {
            expect(before).to.be.at.most(edge);
            return edge;
          });
          for (let gap = 0; gap < edges.length; gap += 2)
            if (edges[gap] !== edges[gap + 1]) expect(pausedAt(edges[gap] ?? NaN)).to.equal(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('come in the order in which they are due: in advance where they begin, everything else at its end', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const items = itemsOf(told(story));
        items.reduce(
          (before, item) => {
            expect(before.dueAt).to.be.at.most(item.dueAt);
            return item;
          },
          items[0] ?? ({ dueAt: 0 } as BillingItem),
        );
        for (const item of items) {
          const inAdvance =
            item.kind === 'once' || (item.kind === 'fee' && item.segments[0].charge.timing === 'inAdvance');
          if (isCharge(item)) expect(item.dueAt).to.equal(inAdvance ? item.segments[0].from : item.period.to);
          else expect(item.dueAt).to.be.within(item.period.to, item.period.period.to);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('have names of their own, which those that have begun keep under any later change', () => {
    fc.assert(
      fc.property(stories, (story) => {
        let subscription = story.first;
        for (const change of story.changes) {
          const changed = after(subscription, change);
          const [before, now] = [itemsOf(subscription), itemsOf(changed)];
          const ids = now.map(({ id }) => id);
          expect(new Set(ids).size).to.equal(ids.length);
          if ('at' in change && typeof change.at === 'number') {
            const kept = before
              .filter(isCharge)
              .filter(({ segments }) => segments[0].from < Number(change.at));
            expect(ids).to.include.members(kept.map(({ id }) => id));
          }
          subscription = changed;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are the same when only a part of the time is asked for', () => {
    fc.assert(
      fc.property(stories, fc.nat({ max: UNTIL_DAYS }), fc.nat({ max: 90 }), (story, day, days) => {
        const subscription = told(story);
        const from = subscription.startAt + day * MICROS_PER_DAY;
        const until = from + days * MICROS_PER_DAY;
        const all = itemsOf(subscription, until + MICROS_PER_DAY);
        const part = [...billingItems(subscription, versions, { from, until })];
        const reach = (item: BillingItem): Instant => (isCharge(item) ? item.period.to : item.dueAt);
        expect(part).to.deep.equal(all.filter((item) => reach(item) >= from && item.period.from <= until));
      }),
      { numRuns: 60 },
    );
  });

  describe('by hand', () => {
    const berlin = begin({ zone: 'Europe/Berlin', start: at('2026-01-30T23:00:00Z') });

    it('begin on the last day of shorter months, and on the 31st again', () => {
      const subscription = begin({
        zone: 'UTC',
        start: at('2026-01-31T00:00:00Z'),
        ref: { plan: 'other', version: 1 },
      });
      const ids = ofCharge(itemsOf(subscription, at('2026-04-30T00:00:00Z')), 'tokens').map(({ id }) => id);
      expect(ids).to.deep.equal([
        'tokens@2026-01-31T00:00:00Z',
        'tokens@2026-02-28T00:00:00Z',
        'tokens@2026-03-31T00:00:00Z',
        'tokens@2026-04-30T00:00:00Z',
      ]);
    });

    it('of a charge that several phases have go on through them, with a segment for each price', () => {
      const [first, second] = ofCharge(itemsOf(berlin, at('2026-03-01T00:00:00Z')), 'tokens');
      expect(first?.segments.map(({ price, from }) => [price, from])).to.deep.equal([
        [{ model: 'perUnit', unitPrice: '0' }, at('2026-01-30T23:00:00Z')],
        [{ model: 'perUnit', unitPrice: '0.01' }, at('2026-02-13T23:00:00Z')],
      ]);
      expect(second?.segments).to.have.length(1);
    });

    it('are due once where a charge is due once, and again only for seats that were not there before', () => {
      const three = after(berlin, {
        kind: 'change',
        at: at('2026-04-01T00:00:00Z'),
        to: { plan: 'other', version: 1 },
      });
      const setups = ofCharge(itemsOf(three), 'setup');
      // Ramp and main phase are one run; another family begins anew.
      expect(setups.map(({ dueAt }) => dueAt)).to.deep.equal([
        at('2026-02-13T23:00:00Z'),
        at('2026-04-01T00:00:00Z'),
      ]);
      const withSeats = [
        { kind: 'change', at: at('2026-03-01T00:00:00Z'), quantities: { boarding: '3' } },
        { kind: 'change', at: at('2026-03-02T00:00:00Z'), quantities: { boarding: '1' } },
        { kind: 'change', at: at('2026-03-03T00:00:00Z'), quantities: { boarding: '4' } },
      ] as const;
      const other = begin({
        zone: 'UTC',
        start: at('2026-02-01T00:00:00Z'),
        ref: { plan: 'other', version: 1 },
      });
      const grown = withSeats.reduce(after, other);
      expect(ofCharge(itemsOf(grown), 'boarding').map(({ segments }) => segments[0].seats)).to.deep.equal([
        '1',
        '2',
        '1',
      ]);
    });

    it('end and begin anew where cadence, family or anchor change, and go on where they do not', () => {
      const start = at('2026-01-01T00:00:00Z');
      const first = begin({ zone: 'UTC', start, ref: { plan: 'max', version: 1 } });
      const change = at('2026-02-10T00:00:00Z');
      const family = after(first, { kind: 'change', at: change, to: { plan: 'pro', version: 2 } });
      const periods = (subscription: Subscription, key: string) =>
        ofCharge(itemsOf(subscription, at('2026-02-20T00:00:00Z')), key).map(({ id, segments }) => [
          id,
          segments.length,
        ]);
      expect(periods(family, 'tokens')).to.deep.equal([
        ['tokens@2026-01-01T00:00:00Z', 1],
        ['tokens@2026-02-01T00:00:00Z', 2],
      ]);
      expect(periods(family, 'base')).to.deep.equal([
        ['base@2026-01-01T00:00:00Z', 1],
        ['base@2026-02-01T00:00:00Z', 1],
        ['base@2026-02-10T00:00:00Z', 1],
      ]);
      const other = after(first, { kind: 'change', at: change, to: { plan: 'other', version: 1 } });
      expect(periods(other, 'tokens').at(-1)).to.deep.equal(['tokens@2026-02-10T00:00:00Z', 1]);
      const anchored = after(first, { kind: 'change', at: change, anchor: { day: 15 } });
      expect(periods(anchored, 'tokens')).to.deep.equal([
        ['tokens@2026-01-01T00:00:00Z', 1],
        ['tokens@2026-02-01T00:00:00Z', 1],
        ['tokens@2026-02-10T00:00:00Z', 1],
        ['tokens@2026-02-15T00:00:00Z', 1],
      ]);
    });

    it('of paused time are none, and what is paid in advance is due when it goes on', () => {
      const first = begin({
        zone: 'UTC',
        start: at('2026-01-01T00:00:00Z'),
        ref: { plan: 'max', version: 1 },
      });
      const paused = after(first, {
        kind: 'pause',
        at: at('2026-01-20T00:00:00Z'),
        until: at('2026-03-10T00:00:00Z'),
      });
      const base = ofCharge(itemsOf(paused, at('2026-03-20T00:00:00Z')), 'base');
      expect(base.map(({ id, dueAt }) => [id, dueAt])).to.deep.equal([
        ['base@2026-01-01T00:00:00Z', at('2026-01-01T00:00:00Z')],
        ['base@2026-03-01T00:00:00Z', at('2026-03-10T00:00:00Z')],
      ]);
      expect(base[0]?.segments.map(({ to }) => to)).to.deep.equal([at('2026-01-20T00:00:00Z')]);
    });

    it('of bounds begin anew with another amount, have no paused time, and wait for the charges that go on', () => {
      const first = begin({
        zone: 'UTC',
        start: at('2026-01-01T00:00:00Z'),
        ref: { plan: 'pro', version: 1 },
      });
      const subscription = [
        { kind: 'change', at: at('2026-02-10T00:00:00Z'), to: { plan: 'pro', version: 2 } },
        { kind: 'pause', at: at('2026-02-15T00:00:00Z'), until: at('2026-02-20T00:00:00Z') },
      ] as const;
      const items = itemsOf(subscription.reduce(after, first), at('2026-02-28T00:00:00Z'));
      const minimums = items.filter(({ kind }) => kind === 'minimum');
      expect(minimums.map((item) => [item.id, 'amount' in item && item.amount, item.dueAt])).to.deep.equal([
        ['planMinimum@2026-01-15T00:00:00Z', '100', at('2026-02-01T00:00:00Z')],
        ['planMinimum@2026-02-01T00:00:00Z', '100', at('2026-03-01T00:00:00Z')],
        ['planMinimum@2026-02-10T00:00:00Z', '150', at('2026-03-01T00:00:00Z')],
        ['planMinimum@2026-02-20T00:00:00Z', '150', at('2026-03-01T00:00:00Z')],
      ]);
    });

    it('change their price on local days, whatever the clocks do', () => {
      const auckland = begin({
        zone: 'Pacific/Auckland',
        start: at('2026-06-01T12:00:00Z'),
        ref: { plan: 'pro', version: 2 },
      });
      const [june] = ofCharge(itemsOf(auckland, at('2026-06-20T00:00:00Z')), 'tokens');
      expect(june?.segments.map(({ from }) => from)).to.deep.equal([
        at('2026-06-01T12:00:00Z'),
        at('2026-06-09T12:00:00Z'),
      ]);
    });
  });

  it('are computed one by one, so that a century costs nothing until it is asked for', () => {
    const subscription = begin({ zone: 'Europe/Berlin', start: at('2026-01-01T00:00:00Z') });
    const items = billingItems(subscription, versions, { until: at('2200-01-01T00:00:00Z') });
    expect(items.next().value?.id).to.equal('base@2026-01-15T00:00:00Z');
  });
});
