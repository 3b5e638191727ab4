import { expect } from 'chai';
import { archiveFeature } from '#infra/catalogue/features.ts';
import { checkEntitlements } from '#infra/entitlements/check-entitlements.ts';
import { EntitlementError } from '#infra/entitlements/errors.ts';
import { moveSubject } from '#infra/customers/move-subject.ts';
import { watermark } from '#infra/usage/tables.ts';
import { instant, NAMESPACE, NOON } from '#test/infra/usage/usage-fixture.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { check, granted, limit, monthly, prepare, run, TABLES, use } from './quota-fixture.ts';

describe('a check', () => {
  onBothDrivers(TABLES, (it) => {
    it('of soft and metered limits reads what all subjects of the customer used', async (database) => {
      await prepare(database);
      await limit(database, [
        monthly('5', { overage: 'soft' }),
        monthly('100', { key: 'recent', overage: 'metered', period: { rolling: 'PT1H' } }),
      ]);
      await use(
        database,
        { id: 'a', data: { v: '2' }, time: '2026-03-10T10:00:00Z' },
        { id: 'b', subject: 'acme-2', data: { v: '3.5' } },
        { id: 'c', subject: 'bolt-1', data: { v: '40' } },
      );
      const answer = await check(database, { amount: '1' });
      expect(answer).to.deep.include({
        allowed: true,
        reason: 'over_soft_limit',
        limitKey: 'monthly',
        used: '5.5',
        remaining: '0',
      });
      expect(answer.limits[1]).to.deep.include({
        limitKey: 'recent',
        used: '3.5',
        remaining: '96.5',
        resetsAt: instant('2026-03-10T12:31:00Z'),
      });
    });

    it('may be of any aggregation, while subjects come and go', async (database) => {
      await prepare(database);
      await limit(database, [monthly('3', { overage: 'soft' })], { feature: 'users' });
      const login = (id: string, subject: string, u: string, time: string) => ({
        id,
        subject,
        time,
        type: 'login',
        data: { u },
      });
      await use(
        database,
        login('a', 'acme-1', 'ann', '2026-03-10T10:00:00Z'),
        login('b', 'acme-2', 'ann', '2026-03-10T10:00:00Z'),
        login('c', 'acme-2', 'bob', '2026-03-10T11:00:00Z'),
        login('d', 'bolt-1', 'cid', '2026-03-10T11:00:00Z'),
      );
      const used = async (): Promise<string | null> => (await check(database, { feature: 'users' })).used;
      expect(await used()).to.equal('2');
      const move = {
        namespace: NAMESPACE,
        subject: 'acme-2',
        to: 'bolt',
        from: instant('2026-03-10T10:30:00Z'),
        now: NOON,
      };
      await run(database, (tx) => moveSubject(tx, move));
      expect(await used()).to.equal('1');
    });

    it('answers many at once, in their order, from one state', async (database) => {
      await prepare(database);
      await limit(database, [monthly('5')]);
      await limit(database, [monthly('7')], { customer: 'bolt', feature: 'calls' });
      await granted(database, { amount: '2' });
      const row = { feed: 'f', worker: 'w', namespace: NAMESPACE, heartbeatAt: NOON };
      await run(database, async (tx) =>
        tx.upsert(watermark, { ...row, committedThrough: NOON - 5, latenessMicros: 10 }),
      );
      const answers = await checkEntitlements(
        database,
        NAMESPACE,
        [
          { customer: 'bolt', feature: 'calls', amount: '8' },
          { customer: 'acme', feature: 'tokens', amount: '3' },
          { customer: 'acme', feature: 'seats' },
          { customer: 'nobody', feature: 'tokens' },
          { customer: 'acme', feature: 'none' },
        ],
        NOON,
      );
      expect(
        answers.map(({ customer, feature, kind, allowed, reason }) => [
          customer,
          feature,
          kind,
          allowed,
          reason,
        ]),
      ).to.deep.equal([
        ['bolt', 'calls', 'metered', false, 'quota_exceeded'],
        ['acme', 'tokens', 'metered', true, 'within_limit'],
        ['acme', 'seats', 'boolean', true, 'no_limit'],
        ['nobody', 'tokens', 'metered', false, 'unknown_customer'],
        ['acme', 'none', 'boolean', false, 'unknown_feature'],
      ]);
      for (const { asOf, completeThrough } of answers)
        expect([asOf, completeThrough]).to.deep.equal([NOON - 5, NOON - 15]);
    });

    it('refuses what is archived, and knows no watermark before there is one', async (database) => {
      await prepare(database);
      await run(database, (tx) => archiveFeature(tx, { namespace: NAMESPACE, key: 'tokens', now: NOON }));
      expect(await check(database)).to.deep.include({
        allowed: false,
        reason: 'archived_feature',
        asOf: null,
      });
    });

    it('by a clock that is behind sees the first period of a limit', async (database) => {
      await prepare(database);
      await limit(database, [monthly('5', { period: { every: 'PT1M' } })]);
      await granted(database, { amount: '2' });
      expect(await check(database, {}, NOON - 1)).to.deep.include({ reserved: '2', remaining: '3' });
    });

    it('that is malformed is refused with every violation', async (database) => {
      await prepare(database);
      const one = { customer: 'acme', feature: 'tokens', amount: '0' };
      const error = await rejectionOf(
        checkEntitlements(database, NAMESPACE, [one, { ...one, amount: 'x' }], NOON),
      );
      expect((error as EntitlementError).violations.map(({ pointer }) => pointer)).to.deep.equal([
        '/0/amount',
        '/1/amount',
      ]);
      const many = Array.from({ length: 101 }, () => ({ customer: 'acme', feature: 'tokens' }));
      expect(await rejectionOf(checkEntitlements(database, NAMESPACE, many, NOON))).to.be.instanceOf(
        EntitlementError,
      );
    });
  });
});
