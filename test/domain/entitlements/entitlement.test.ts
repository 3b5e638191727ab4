import { expect } from 'chai';
import { entitle, unlimited, type LimitState } from '#domain/entitlements/entitlement.ts';
import {
  checkLimits,
  countsSame,
  normaliseLimits,
  type LimitDefinition,
} from '#domain/entitlements/limit.ts';
import { stateAt } from '#domain/entitlements/reservation.ts';

const PERIOD = { from: 0, to: 60_000_000 };

const state = (said: Partial<LimitState> = {}): LimitState => ({
  key: 'monthly',
  overage: 'hard',
  amount: 100,
  used: 70,
  held: 20,
  period: PERIOD,
  resetsAt: PERIOD.to,
  ...said,
});

describe('an entitlement', () => {
  it('has what is neither used nor held, and not a unit more', () => {
    expect(entitle('tokens', [state()], 10)).to.deep.include({
      allowed: true,
      limit: '100',
      used: '70',
      reserved: '20',
      remaining: '10',
      limitKey: 'monthly',
      reason: 'within_limit',
      resetsAt: PERIOD.to,
    });
    expect(entitle('tokens', [state()], 11)).to.deep.include({ allowed: false, reason: 'quota_exceeded' });
  });

  it('without an amount says whether anything is left', () => {
    expect(entitle('tokens', [state({ held: 29 })], undefined).allowed).to.equal(true);
    expect(entitle('tokens', [state({ held: 30 })], undefined).allowed).to.equal(false);
  });

  it('shows nothing remaining where a limit was lowered below what is used', () => {
    expect(entitle('tokens', [state({ amount: 50 })], undefined)).to.deep.include({
      allowed: false,
      remaining: '0',
      limit: '50',
    });
  });

  it('is decided by the tightest hard limit, which it names, and shows all limits', () => {
    const limits = [
      state({ key: 'soft', overage: 'soft', amount: 1 }),
      state({ key: 'wide', amount: 1_000 }),
      state({ key: 'tight', amount: 95 }),
    ];
    const answer = entitle('tokens', limits, 6);
    expect(answer).to.deep.include({ allowed: false, limitKey: 'tight', overage: 'hard', remaining: '5' });
    expect(answer.limits.map(({ limitKey, allowed }) => [limitKey, allowed])).to.deep.equal([
      ['tight', false],
      ['wide', true],
      ['soft', true],
    ]);
  });

  it('is allowed beyond soft and metered limits, and says so', () => {
    const full = { used: 100, held: 0 } as const;
    expect(entitle('tokens', [state({ overage: 'soft', ...full })], 1)).to.deep.include({
      allowed: true,
      reason: 'over_soft_limit',
    });
    expect(entitle('tokens', [state({ overage: 'metered', ...full })], 1)).to.deep.include({
      allowed: true,
      reason: 'metered_overage',
    });
  });

  it('without limits is allowed, and without a feature is not', () => {
    expect(unlimited('tokens', 'metered', 'no_limit')).to.deep.include({ allowed: true, limit: null });
    expect(unlimited('tokens', 'boolean', 'unknown_feature').allowed).to.equal(false);
  });
});

describe('limits that are given', () => {
  const limit = (said: Partial<LimitDefinition> = {}): LimitDefinition => ({
    key: 'monthly',
    amount: '100',
    period: { every: 'P1M' },
    overage: 'hard',
    ...said,
  });
  const codes = (limits: readonly LimitDefinition[], aggregation: 'sum' | 'max' = 'sum') =>
    checkLimits(limits, aggregation).map(({ pointer, code }) => `${pointer} ${code}`);

  it('are refused with every violation and its place', () => {
    expect(
      codes([
        limit({ key: 'Monthly!', amount: 'many' }),
        limit({ amount: '-1', period: { every: 'P5M' } }),
        limit({ amount: '1.0000000000000000001', period: { rolling: 'P8D' } }),
        limit({ key: 'zone', period: { every: 'P1D', timezone: 'Mars/Olympus' } }),
        limit({ key: 'year', period: { every: 'P2Y', anchor: 0 } }),
      ]),
    ).to.deep.equal([
      '/limits/0/key invalid_key',
      '/limits/0/amount invalid_amount',
      '/limits/1/amount negative_amount',
      '/limits/1/period/every anchor_required',
      '/limits/2/key duplicate_key',
      '/limits/2/amount amount_out_of_range',
      '/limits/2/period/rolling window_too_long',
      '/limits/3/period/timezone unknown_time_zone',
      '/limits/4/period/every period_too_long',
    ]);
    expect(codes([])).to.deep.equal(['/limits no_limits']);
    expect(codes(Array.from({ length: 21 }, (_, i) => limit({ key: `k${i}` })))).to.deep.equal([
      '/limits too_many_limits',
    ]);
  });

  it('are hard only over meters that count or sum', () => {
    expect(codes([limit()], 'max')).to.deep.equal(['/limits/0/overage aggregation_not_limitable']);
    expect(codes([limit({ overage: 'soft' })], 'max')).to.deep.equal([]);
  });

  it('have one form, and count the same when only the amount changes', () => {
    const [normal] = normaliseLimits([
      limit({ amount: '0100.50', period: { every: 'P1M', anchor: 61_000_000, timezone: 'europe/berlin' } }),
    ]);
    expect(normal).to.deep.equal(
      limit({ amount: '100.5', period: { every: 'P1M', anchor: 60_000_000, timezone: 'Europe/Berlin' } }),
    );
    expect(countsSame(limit(), limit({ amount: '5', period: { every: 'P1M', timezone: 'UTC' } }))).to.equal(
      true,
    );
    expect(countsSame(limit(), limit({ overage: 'soft' }))).to.equal(false);
    expect(countsSame(limit(), limit({ period: { every: 'P1D' } }))).to.equal(false);
  });
});

describe('a hold', () => {
  it('is pending when its time has run out, without anybody’s having written so', () => {
    expect(stateAt('open', 100, 99)).to.equal('open');
    expect(stateAt('open', 100, 100)).to.equal('pending');
    expect(stateAt('lapsed', 100, 200)).to.equal('lapsed');
  });
});
