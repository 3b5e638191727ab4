import { expect } from 'chai';
import { MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND } from '#domain/instant.ts';
import { OPEN_HOLDS_MAX } from '#domain/limits.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import type { Database } from '#infra/database/database.ts';
import { RefusedValue, StoreFailure } from '#infra/database/errors.ts';
import {
  extendReservation,
  getReservation,
  releaseReservation,
  settleReservation,
} from '#infra/entitlements/change-reservation.ts';
import { createReservations } from '#infra/entitlements/create-reservations.ts';
import { EntitlementError } from '#infra/entitlements/errors.ts';
import { lapseHolds } from '#infra/entitlements/lapse-holds.ts';
import { lapseNamespaces } from '#infra/entitlements/lapse-namespaces.ts';
import { listOverdrafts } from '#infra/entitlements/list-overdrafts.ts';
import { deleteLimits } from '#infra/entitlements/put-limits.ts';
import { hold, holdCount } from '#infra/entitlements/tables.ts';
import { watermark } from '#infra/usage/tables.ts';
import { NAMESPACE, NOON, SOURCE } from '#test/infra/usage/usage-fixture.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { check, granted, limit, monthly, prepare, reserve, run, TABLES, use } from './quota-fixture.ts';

const SECOND = MICROS_PER_SECOND;
const idOf = (event: string): string => toHex(identityOf(NAMESPACE, SOURCE, event));
const named = (event = 'r-1', now = NOON) => ({ namespace: NAMESPACE, id: idOf(event), now });

const codeOf = async (promise: Promise<unknown>): Promise<string | undefined> => {
  const error = await rejectionOf(promise);
  return error instanceof EntitlementError ? error.code : undefined;
};

const quota = async (database: Database): Promise<Record<string, string | null>> => {
  const { used, reserved, remaining } = await check(database);
  return { used, reserved, remaining };
};

const outcomeOf = async (...asked: Parameters<typeof reserve>): Promise<string> =>
  (await reserve(...asked)).outcome;

const lapse = (database: Database, completeThrough: number) =>
  lapseHolds(database, NAMESPACE, { now: NOON, freshness: { asOf: completeThrough, completeThrough } });

describe('a reservation', () => {
  onBothDrivers(TABLES, (it) => {
    it('holds its amount, and is refused with the fields of a check when it does not fit', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10'), monthly('4', { key: 'daily', period: { every: 'P1D' } })]);
      expect(await granted(database, { amount: '3' })).to.deep.include({
        id: idOf('r-1'),
        customer: 'acme',
        feature: 'tokens',
        amount: '3',
        held: '3',
        state: 'open',
        expiresAt: NOON + 60 * SECOND,
      });
      const refused = await reserve(database, { id: 'r-2', amount: '2' });
      if (refused.outcome !== 'quota_exceeded') throw new Error(refused.outcome);
      expect(refused.entitlement).to.deep.include({
        allowed: false,
        reason: 'quota_exceeded',
        limitKey: 'daily',
        limit: '4',
        used: '0',
        reserved: '3',
        remaining: '1',
        resetsAt: NOON + 12 * MICROS_PER_HOUR,
      });
      expect(refused.entitlement.limits).to.have.length(2);
      expect(await outcomeOf(database, { id: 'r-2', amount: '1' })).to.equal('granted');
    });

    it('is the same one again for the same event and amount, and a conflict for another', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const first = await granted(database, { amount: '3' });
      const again = await reserve(database, { amount: '3.0', ttlSeconds: 5, now: NOON + SECOND });
      expect(again).to.deep.equal({ outcome: 'granted', reservation: first, repeated: true });
      expect(await outcomeOf(database, { amount: '4' })).to.equal('reservation_conflict');
      expect(await outcomeOf(database, { amount: '3', customer: 'bolt' })).to.equal('reservation_conflict');
      expect((await quota(database))['reserved']).to.equal('3');
    });

    it('becomes usage with the commit of its event: of what was really used', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await granted(database, { amount: '4' });
      await use(database, { id: 'r-1', data: { v: '3' } });
      expect(await quota(database)).to.deep.equal({ used: '3', reserved: '0', remaining: '7' });
      expect(await getReservation(database, named())).to.deep.include({ state: 'settled', held: '0' });
      await use(database, { id: 'r-1', data: { v: '3' } });
      expect((await quota(database))['used']).to.equal('3');
      expect(await outcomeOf(database, { amount: '4' })).to.equal('event_already_counted');
      await use(database, { id: 'other' });
      expect(await outcomeOf(database, { id: 'other' })).to.equal('event_already_counted');
      expect(await listOverdrafts(database, NAMESPACE, { limit: 10 })).to.deep.equal([]);
    });

    it('leaves its quota with its own period when its event is of the next one', async (database) => {
      await prepare(database);
      const period = { every: 'PT1M' };
      await limit(database, [monthly('10', { period })], { now: NOON - MICROS_PER_MINUTE });
      await granted(database, { amount: '4', now: NOON - SECOND });
      await use(database, { id: 'r-1', data: { v: '4' }, time: '2026-03-10T12:00:01Z' });
      expect(await quota(database)).to.deep.equal({ used: '4', reserved: '0', remaining: '6' });
    });

    it('is settled, released and extended by its id, each as often as it is said', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await granted(database, { amount: '4' });
      const extend = () => run(database, (tx) => extendReservation(tx, { ...named(), ttlSeconds: 600 }));
      await extend();
      expect((await extend()).expiresAt).to.equal(NOON + 600 * SECOND);
      const settle = (actual: string) => run(database, (tx) => settleReservation(tx, { ...named(), actual }));
      await settle('6');
      expect(await settle('6')).to.deep.include({ state: 'pending', amount: '4', held: '6' });
      expect((await quota(database))['reserved']).to.equal('6');
      expect(await codeOf(extend())).to.equal('reservation_closed');
      const release = () => run(database, (tx) => releaseReservation(tx, named()));
      await release();
      expect(await release()).to.deep.include({ state: 'released', held: '0' });
      expect(await quota(database)).to.deep.equal({ used: '0', reserved: '0', remaining: '10' });
      expect(await codeOf(settle('1'))).to.equal('reservation_closed');
      expect(await codeOf(settle('-1'))).to.equal('invalid_reservation');
    });

    it('that was given back can be made again, as a new one', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await granted(database, { amount: '4' });
      await run(database, (tx) => releaseReservation(tx, named()));
      expect(await reserve(database, { amount: '9' })).to.deep.include({
        outcome: 'granted',
        repeated: false,
      });
      expect((await quota(database))['reserved']).to.equal('9');
    });

    it('is known in its own namespace only', async (database) => {
      await prepare(database);
      await granted(database);
      const elsewhere = { ...named(), namespace: 'other' };
      expect(await codeOf(getReservation(database, elsewhere))).to.equal('reservation_not_found');
      const release = run(database, (tx) => releaseReservation(tx, elsewhere));
      expect(await codeOf(release)).to.equal('reservation_not_found');
      expect(await codeOf(getReservation(database, { ...named(), id: 'x' }))).to.equal(
        'reservation_not_found',
      );
    });

    it('is pending when its time has run out, and lapses when usage is complete beyond it', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const { expiresAt } = await granted(database, { amount: '4' });
      expect((await getReservation(database, named('r-1', expiresAt))).state).to.equal('pending');
      expect(await lapse(database, expiresAt)).to.deep.equal({ lapsed: 0, settled: 0 });
      expect((await quota(database))['reserved']).to.equal('4');
      expect(await lapse(database, expiresAt + 1)).to.deep.equal({ lapsed: 1, settled: 0 });
      expect(await lapse(database, expiresAt + 1)).to.deep.equal({ lapsed: 0, settled: 0 });
      expect(await quota(database)).to.deep.equal({ used: '0', reserved: '0', remaining: '10' });
      expect((await getReservation(database, named())).state).to.equal('lapsed');
      // The event that comes too late counts all the same, and takes nothing off a second time.
      await use(database, { id: 'r-1', data: { v: '2' } });
      expect(await quota(database)).to.deep.equal({ used: '2', reserved: '0', remaining: '8' });
    });

    it('that is settled when its time had run out is awaited from then on', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const { expiresAt } = await granted(database, { amount: '4' });
      const later = expiresAt + SECOND;
      await run(database, (tx) => settleReservation(tx, { ...named('r-1', later), actual: '1' }));
      expect(await lapse(database, later)).to.deep.equal({ lapsed: 0, settled: 0 });
      expect(await lapse(database, later + 1)).to.deep.equal({ lapsed: 1, settled: 0 });
    });

    it('lapses by the watermark of its own namespace', async (database) => {
      await prepare(database);
      const { expiresAt } = await granted(database);
      const row = { feed: 'f', worker: 'w', namespace: NAMESPACE, heartbeatAt: NOON, latenessMicros: SECOND };
      const moveTo = (committedThrough: number) =>
        run(database, async (tx) => tx.upsert(watermark, { ...row, committedThrough }));
      expect(await lapseNamespaces(database, NOON)).to.equal(0);
      await moveTo(expiresAt + SECOND);
      expect(await lapseNamespaces(database, NOON)).to.equal(0);
      await moveTo(expiresAt + SECOND + 1);
      expect(await lapseNamespaces(database, NOON)).to.equal(1);
    });

    it('without a hard limit is granted, and held in the limits that come', async (database) => {
      await prepare(database);
      await granted(database, { amount: '4' });
      await granted(database, { id: 'r-2', amount: '3' });
      await use(database, { id: 'r-2', data: { v: '2' } });
      await limit(database, [monthly('10')]);
      expect(await quota(database)).to.deep.equal({ used: '2', reserved: '4', remaining: '4' });
      expect((await getReservation(database, named('r-2'))).state).to.equal('settled');
      await use(database, { id: 'r-1', data: { v: '5' } });
      expect(await quota(database)).to.deep.equal({ used: '7', reserved: '0', remaining: '3' });
    });

    it('whose limits are deleted and set again is held once', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await granted(database, { amount: '4' });
      const of = { namespace: NAMESPACE, customer: 'acme', feature: 'tokens', now: NOON };
      await run(database, (tx) => deleteLimits(tx, of));
      await limit(database, [monthly('10')]);
      expect((await quota(database))['reserved']).to.equal('4');
      await run(database, (tx) => releaseReservation(tx, named()));
      expect((await quota(database))['reserved']).to.equal('0');
    });

    it('ends with the commit of its event, though the subject was another customer’s', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await limit(database, [monthly('10')], { customer: 'bolt' });
      await granted(database, { amount: '4' });
      await use(database, { id: 'r-1', subject: 'bolt-1', data: { v: '3' } });
      expect(await quota(database)).to.deep.equal({ used: '0', reserved: '0', remaining: '10' });
      expect((await check(database, { customer: 'bolt' })).used).to.equal('3');
    });

    it('is of a customer and a feature that exist, and no more than the bound at a time', async (database) => {
      await prepare(database);
      expect(await outcomeOf(database, { feature: 'none' })).to.equal('feature_not_found');
      expect(await outcomeOf(database, { customer: 'nobody' })).to.equal('customer_not_found');
      const row = { namespace: NAMESPACE, customer: 'acme', feature: 'tokens' };
      await run(database, async (tx) => tx.upsert(holdCount, { ...row, holds: OPEN_HOLDS_MAX - 1 }));
      expect(await outcomeOf(database)).to.equal('granted');
      expect(await outcomeOf(database, { id: 'r-2' })).to.equal('too_many_holds');
    });

    it('that is malformed is refused with every violation', async (database) => {
      await prepare(database);
      const error = await rejectionOf(reserve(database, { id: '', amount: '0', ttlSeconds: 86_401 }));
      expect((error as EntitlementError).violations.map(({ pointer }) => pointer)).to.deep.equal([
        '/amount',
        '/ttlSeconds',
        '/event/id',
      ]);
    });
  });
});

describe('usage beyond a hard limit', () => {
  onBothDrivers(TABLES, (it) => {
    it('that was not reserved counts, and is on record as overdraft', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await granted(database, { amount: '4' });
      const { overdrafts } = await use(database, { id: 'unasked', data: { v: '9' } });
      expect(overdrafts).to.equal(1);
      expect(await check(database)).to.deep.include({ used: '9', reserved: '4', remaining: '0' });
      // Three of the nine had no room beside the reservation. What was reserved takes its own, and one more.
      await use(database, { id: 'r-1', data: { v: '5' } });
      const [overdraft, ...others] = await listOverdrafts(database, NAMESPACE, { limit: 10 });
      expect(overdraft).to.deep.include({ customer: 'acme', feature: 'tokens', limit: '10', overdraft: '4' });
      expect(others).to.deep.equal([]);
      expect(
        await listOverdrafts(database, NAMESPACE, { since: (overdraft?.at ?? 0) + 1, limit: 10 }),
      ).to.deep.equal([]);
    });
  });
});

describe('the committer of reservations', () => {
  onBothDrivers(TABLES, (it) => {
    const ask = (id: string, amount = '1') => ({
      namespace: NAMESPACE,
      customer: 'acme',
      feature: 'tokens',
      amount,
      ttlSeconds: 60,
      event: { source: SOURCE, id },
    });

    it('decides all who ask at once in one transaction, one after the other', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      let transactions = 0;
      const counting: Database = {
        ...database,
        transact: (work) => {
          transactions++;
          return database.transact(work);
        },
      };
      const { reserve: share } = createReservations({ database: counting, clock: () => NOON });
      const outcomes = await Promise.all(Array.from({ length: 64 }, (_, i) => share(ask(`e-${i}`))));
      expect(outcomes.filter(({ outcome }) => outcome === 'granted')).to.have.length(10);
      expect(outcomes.filter(({ outcome }) => outcome === 'quota_exceeded')).to.have.length(54);
      expect(transactions).to.equal(1);
      expect(await Array.fromAsync(database.scan(hold, { prefix: [] }))).to.have.length(10);
    });

    it('waits before each transaction as it is told to, and takes in who asks meanwhile', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const steps: string[] = [];
      const noting: Database = {
        ...database,
        transact: (work) => {
          steps.push('transaction');
          return database.transact(work);
        },
      };
      const asked: Promise<unknown>[] = [];
      const { reserve: share } = createReservations({
        database: noting,
        clock: () => NOON,
        pause: async () => {
          steps.push('pause');
          if (asked.length < 3) asked.push(share(ask(`e-${asked.length}`)));
          await Promise.resolve();
        },
      });
      asked.push(share(ask('e')));
      await asked[0];
      await Promise.all(asked);
      expect(steps).to.deep.equal(['pause', 'transaction']);
      asked.push(share(ask('later')));
      await Promise.all(asked);
      expect(steps).to.deep.equal(['pause', 'transaction', 'pause', 'transaction']);
    });

    it('gives one answer to those who ask the same', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const { reserve: share } = createReservations({ database, clock: () => NOON });
      const [one, two, three] = await Promise.all([
        share(ask('e', '4')),
        share(ask('e', '4')),
        share(ask('e', '5')),
      ]);
      if (one?.outcome !== 'granted' || two?.outcome !== 'granted') throw new Error('not granted');
      expect(two.reservation).to.deep.equal(one.reservation);
      expect([one.repeated, two.repeated, three?.outcome]).to.deep.equal([
        false,
        true,
        'reservation_conflict',
      ]);
    });

    it('lets nobody pay for another’s refused value, and tells all of a store that fails', async (database) => {
      await prepare(database);
      const failing = (failsFor: (transactions: number) => Error | undefined): Database => {
        let transactions = 0;
        return {
          ...database,
          transact: async (work) => {
            const error = failsFor(++transactions);
            if (error) throw error;
            return database.transact(work);
          },
        };
      };
      const picky = createReservations({
        database: failing((count) => (count <= 2 ? new RefusedValue('no') : undefined)),
        clock: () => NOON,
      });
      const settled = await Promise.allSettled(['a', 'b', 'c'].map((id) => picky.reserve(ask(id))));
      expect(settled.map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled', 'fulfilled']);
      const down = createReservations({
        database: failing(() => new StoreFailure('down')),
        clock: () => NOON,
      });
      const none = await Promise.allSettled(['d', 'e'].map((id) => down.reserve(ask(id))));
      expect(none.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    });
  });
});
