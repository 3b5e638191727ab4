import { expect } from 'chai';
import fc from 'fast-check';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { SUBSCRIPTION_BACKDATED_MICROS_MAX } from '#domain/limits.ts';
import { planVersions } from '#domain/subscriptions/plan-versions.ts';
import type { SubscriptionChange } from '#domain/subscriptions/change.ts';
import { planChange } from '#domain/subscriptions/plan-change.ts';
import type { PlannedChange } from '#domain/subscriptions/planned.ts';
import { subscriptionState } from '#domain/subscriptions/subscription-state.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { sayTheSame } from '#domain/subscriptions/terms-delta.ts';
import { changeFrom, mergeTerms, termsAt, withoutChangeAt } from '#domain/subscriptions/timeline.ts';
import { after, begin, stories, told, VERSIONS, versions } from './arbitrary-subscription.ts';

const at = (text: string): Instant => parseRfc3339(text)?.at ?? NaN;
const JAN = at('2026-01-01T00:00:00Z');
const NOW = at('2026-02-10T12:34:56Z');
const MINUTE = at('2026-02-10T12:34:00Z');

const max = begin({ zone: 'UTC', start: JAN, ref: { plan: 'max', version: 1 } });
const pro = begin({ zone: 'UTC', start: JAN });

function planned(subscription: Subscription, change: SubscriptionChange, now = NOW): PlannedChange {
  const result = planChange(subscription, change, { versions, now });
  if ('faults' in result) throw new Error(JSON.stringify(result.faults));
  return result;
}

function faultsOf(subscription: Subscription, change: SubscriptionChange, now = NOW): string[] {
  const result = planChange(subscription, change, { versions, now });
  return 'faults' in result ? result.faults.map(({ pointer, code }) => `${pointer} ${code}`) : [];
}

const told3 = ({ effects }: PlannedChange): unknown[] =>
  effects
    .filter((effect) => effect.kind !== 'notice')
    .map((effect) => [effect.at, effect.kind, 'dropped' in effect && effect.dropped]);

describe('changes of a subscription', () => {
  it('begin now at the present minute, at the end of the period, or at a time', () => {
    const quantities = { seats: '9' };
    const froms = (['now', 'periodEnd', at('2026-05-05T05:05:05Z')] as const).map(
      (moment) => planned(max, { kind: 'change', at: moment, quantities }).subscription.terms[1]?.from,
    );
    expect(froms).to.deep.equal([MINUTE, at('2026-03-01T00:00:00Z'), at('2026-05-05T05:05:00Z')]);
  });

  it('begin at the end of the longest period, so that nothing that is paid for a year is cut', () => {
    const yearly = begin({ zone: 'UTC', start: JAN, ref: { plan: 'pro', version: 2 } });
    const { subscription } = planned(yearly, { kind: 'cancel', at: 'periodEnd' });
    expect(subscription.endAt).to.equal(at('2027-01-01T00:00:00Z'));
  });

  it('of a trial at the end of its period begin when the trial ends', () => {
    const { subscription } = planned(pro, { kind: 'cancel', at: 'periodEnd' }, at('2026-01-03T00:00:00Z'));
    expect(subscription.endAt).to.equal(at('2026-01-15T00:00:00Z'));
  });

  it('tell what happens, and what no longer does', () => {
    const upgrade = planned(max, {
      kind: 'change',
      at: 'now',
      to: { plan: 'pro', version: 2 },
      quantities: { seats: '7' },
    });
    expect(told3(upgrade)).to.deep.equal([
      [MINUTE, 'planChanges', false],
      [MINUTE, 'seatsChange', false],
    ]);
    expect(upgrade.effects.filter(({ kind }) => kind === 'notice')).to.not.deep.equal([]);
    const cancelled = planned(max, { kind: 'cancel', at: 'periodEnd' });
    expect(told3(cancelled)).to.deep.equal([[at('2026-03-01T00:00:00Z'), 'ends', false]]);
    const back = planned(cancelled.subscription, { kind: 'uncancel' });
    expect(told3(back)).to.deep.equal([[at('2026-03-01T00:00:00Z'), 'ends', true]]);
    expect(back.subscription).to.deep.equal(max);
  });

  it('drop from what happens all that would have come after an end', () => {
    const { effects } = planned(pro, { kind: 'cancel', at: at('2026-02-20T00:00:00Z') });
    expect(effects.map((effect) => ('phase' in effect ? effect.phase : effect.kind))).to.deep.equal([
      'ends',
      'main',
    ]);
  });

  it('leave what is planned for later planned, and do it to what is there then', () => {
    const june = at('2026-06-01T00:00:00Z');
    const first = planned(max, { kind: 'change', at: june, quantities: { seats: '10' } }).subscription;
    const override = { tokens: { discount: { percent: '5' } } };
    const second = planned(first, {
      kind: 'change',
      at: 'now',
      quantities: { seats: '7' },
      overrides: override,
    });
    expect(
      second.subscription.terms.map(({ quantities, overrides }) => [quantities, overrides]),
    ).to.deep.equal([
      [{}, {}],
      [{ seats: '7' }, override],
      [{ seats: '10' }, override],
    ]);
  });

  it('that make a planned one impossible are refused, naming it', () => {
    const later = planned(max, { kind: 'change', at: 'periodEnd', addOns: { support: '2' } }).subscription;
    const noAddOns = VERSIONS.map((each) => (each.plan === 'other' ? { ...each, addOns: [] } : each));
    const result = planChange(
      later,
      { kind: 'change', at: 'now', to: { plan: 'other', version: 1 } },
      { versions: planVersions(noAddOns), now: NOW },
    );
    expect('faults' in result && result.faults.map(({ code, message }) => [code, message])).to.deep.equal([
      [
        'unknown_add_on',
        'what is planned for 2026-03-01T00:00:00Z becomes impossible: other 1 has no add-on support',
      ],
    ]);
  });

  it('within a family go on in their phases, and begin anew elsewhere, unless it is said otherwise', () => {
    const phasesFrom = (to: string, phases?: 'continue' | 'restart') =>
      termsAt(
        planned(max, { kind: 'change', at: 'now', to: { plan: to, version: 1 }, ...(phases && { phases }) })
          .subscription.terms,
        NOW,
      ).phasesFrom;
    expect(phasesFrom('pro')).to.equal(JAN);
    expect(phasesFrom('other')).to.equal(MINUTE);
    expect(phasesFrom('pro', 'restart')).to.equal(MINUTE);
    expect(phasesFrom('other', 'continue')).to.equal(JAN);
  });

  it('are refused with every fault at once, where each is', () => {
    expect(
      faultsOf(max, {
        kind: 'change',
        at: 'now',
        quantities: { nothing: '1', seats: '-1' },
        overrides: { tokens: { price: { model: 'perUnit', unitPrice: 'x' } } },
        addOns: { gold: '1', support: '1.5' },
      }),
    ).to.have.members([
      '/quantities/nothing unknown_charge',
      '/quantities/seats below_zero',
      '/overrides/tokens/price/unitPrice not_a_decimal',
      '/addOns/gold unknown_add_on',
      '/addOns/support not_whole',
    ]);
    const aligned = { ...max, alignment: 'customer' as const };
    expect(faultsOf(aligned, { kind: 'change', at: 'now', anchor: { day: 3 } })).to.deep.equal([
      '/anchor anchor_of_customer',
    ]);
  });

  it('go back as far as the bound, not before the start, and not beyond the end', () => {
    const old = begin({ zone: 'UTC', start: at('2024-01-01T00:00:00Z'), ref: { plan: 'max', version: 1 } });
    const bound = MINUTE - SUBSCRIPTION_BACKDATED_MICROS_MAX;
    expect(faultsOf(old, { kind: 'pause', at: bound })).to.deep.equal([]);
    expect(faultsOf(old, { kind: 'pause', at: bound - MICROS_PER_DAY })).to.deep.equal(['/at too_far_back']);
    expect(faultsOf(max, { kind: 'pause', at: JAN - MICROS_PER_DAY })).to.deep.equal(['/at before_start']);
    expect(faultsOf(max, { kind: 'pause', at: at('2046-01-01T00:00:00Z') })).to.deep.equal([
      '/at too_far_ahead',
    ]);
    const ending = planned(max, { kind: 'cancel', at: 'periodEnd' }).subscription;
    expect(faultsOf(ending, { kind: 'pause', at: at('2026-03-01T00:00:00Z') })).to.deep.equal([
      '/at after_end',
    ]);
  });

  it('pause and resume only what runs and rests, and a pause may know its end', () => {
    const paused = planned(max, { kind: 'pause', at: 'now', until: at('2026-04-01T00:00:00Z') });
    expect(told3(paused)).to.deep.equal([
      [MINUTE, 'pauses', false],
      [at('2026-04-01T00:00:00Z'), 'resumes', false],
    ]);
    expect(faultsOf(paused.subscription, { kind: 'pause', at: 'now' })).to.deep.equal(['/at already_paused']);
    expect(faultsOf(max, { kind: 'resume', at: 'now' })).to.deep.equal(['/at not_paused']);
    const sooner = planned(paused.subscription, { kind: 'resume', at: at('2026-03-01T00:00:00Z') });
    expect(sooner.subscription.terms).to.have.length(3);
    expect(faultsOf(max, { kind: 'pause', at: 'now', until: NOW })).to.deep.equal([
      '/until end_before_start',
    ]);
  });

  it('undo one planned change and leave the others', () => {
    const [april, june] = [at('2026-04-01T00:00:00Z'), at('2026-06-01T00:00:00Z')];
    const both = [
      { kind: 'change', at: april, quantities: { seats: '10' } },
      { kind: 'change', at: june, addOns: { support: '1' } },
    ] as const;
    const changed = both.reduce(after, max);
    const undone = planned(changed, { kind: 'undo', from: april }).subscription;
    expect(undone).to.deep.equal(after(max, both[1]));
    expect(faultsOf(changed, { kind: 'undo', from: JAN })).to.deep.equal([' not_planned']);
    expect(faultsOf(changed, { kind: 'undo', from: at('2026-05-01T00:00:00Z') })).to.deep.equal([
      ' not_planned',
    ]);
    const ending = planned(changed, { kind: 'cancel', at: june }).subscription;
    expect(planned(ending, { kind: 'undo', from: june }).subscription.endAt).to.equal(null);
  });

  it('end what has not begun so that it never does', () => {
    const early = at('2025-12-01T00:00:00Z');
    const { subscription, effects } = planned(max, { kind: 'cancel', at: 'now' }, early);
    expect(subscription.endAt).to.equal(JAN);
    expect(effects.map((effect) => [effect.kind, 'dropped' in effect && effect.dropped])).to.deep.equal([
      ['starts', true],
      ['ends', false],
    ]);
    expect(subscriptionState(subscription, versions, early).state).to.equal('ended');
  });

  it('of a subscription that has ended are refused', () => {
    const ended = after(max, { kind: 'cancel', at: at('2026-02-01T00:00:00Z') });
    for (const change of [
      { kind: 'cancel', at: 'now' },
      { kind: 'uncancel' },
      { kind: 'pause', at: 'periodEnd' },
    ] as const)
      expect(faultsOf(ended, change)).to.deep.equal([' subscription_ended']);
    // In its past it can still be corrected.
    expect(
      faultsOf(ended, { kind: 'change', at: at('2026-01-20T00:00:00Z'), quantities: { seats: '3' } }),
    ).to.deep.equal([]);
  });

  it('leave nothing behind in what they were given', () => {
    const before = JSON.stringify(max);
    planned(max, { kind: 'change', at: 'now', quantities: { seats: '2' } });
    expect(JSON.stringify(max)).to.equal(before);
  });
});

describe('the state of a subscription', () => {
  it('is scheduled, trialing, active, paused and ended, in its time', () => {
    const subscription = [
      { kind: 'pause', at: at('2026-02-10T00:00:00Z'), until: at('2026-02-20T00:00:00Z') },
      { kind: 'cancel', at: at('2026-06-01T00:00:00Z') },
    ] as const;
    const told = subscription.reduce(after, pro);
    const states = ['2025-12-31', '2026-01-01', '2026-01-15', '2026-02-10', '2026-02-20', '2026-06-01'].map(
      (day) => subscriptionState(told, versions, at(`${day}T00:00:00Z`)),
    );
    expect(states).to.deep.equal([
      { state: 'scheduled', phase: null },
      { state: 'trialing', phase: 'trial' },
      { state: 'active', phase: 'ramp' },
      { state: 'paused', phase: 'ramp' },
      { state: 'active', phase: 'ramp' },
      { state: 'ended', phase: null },
    ]);
  });
});

describe('timelines', () => {
  it('have terms in order, none of which says what the one before it says', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { terms, startAt } = told(story);
        expect(terms[0].from).to.equal(startAt);
        terms.slice(1).forEach((each, index) => {
          const before = terms[index] ?? each;
          expect(each.from).to.be.greaterThan(before.from);
          expect(sayTheSame(before, each)).to.equal(false);
        });
        expect(mergeTerms(terms)).to.deep.equal(terms);
      }),
      { numRuns: 100 },
    );
  });

  it('are what they were before a change of a time without terms once that is undone', () => {
    fc.assert(
      fc.property(stories, fc.nat({ max: 400 }), (story, days) => {
        const { terms, startAt } = told(story);
        const from = startAt + days * MICROS_PER_DAY + 7 * 60_000_000;
        fc.pre(terms.every((each) => each.from !== from));
        const changed = changeFrom(terms, from, { quantities: { extra: '1' } });
        expect(withoutChangeAt(changed, from)).to.deep.equal(terms);
      }),
      { numRuns: 100 },
    );
  });
});
