import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { saveMeter } from '#infra/catalogue/put-meter.ts';
import { moveSubject } from '#infra/customers/move-subject.ts';
import type { Database } from '#infra/database/database.ts';
import { EntitlementError } from '#infra/entitlements/errors.ts';
import { deleteLimits, getLimits } from '#infra/entitlements/put-limits.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { subject } from '#infra/usage/tables.ts';
import { instant, NAMESPACE, NOON } from '#test/infra/usage/usage-fixture.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import {
  check,
  granted,
  limit,
  monthly,
  prepare,
  reserve,
  rowsOf,
  run,
  TABLES,
  use,
} from './quota-fixture.ts';

const OF = { namespace: NAMESPACE, customer: 'acme', feature: 'tokens' };
const MONTH = { from: instant('2026-03-01T00:00:00Z'), to: instant('2026-04-01T00:00:00Z') };

async function refused(promise: Promise<unknown>): Promise<EntitlementError> {
  const error = await rejectionOf(promise);
  expect(error).to.be.instanceOf(EntitlementError);
  return error as EntitlementError;
}

const isWatched = async (database: Database, name: string): Promise<boolean | undefined> =>
  (await database.read(subject, [[NAMESPACE, name]]))[0]?.hasLimits;

describe('limits', () => {
  onBothDrivers(TABLES, (it) => {
    it('count what was used before they were set, and every commit afterwards', async (database) => {
      await prepare(database);
      await use(database, { id: 'march', data: { v: '3' }, time: '2026-03-02T00:00:00Z' });
      await use(database, { id: 'february', data: { v: '50' }, time: '2026-02-28T23:59:59Z' });
      await use(database, { id: 'other', subject: 'bolt-1', data: { v: '70' } });
      await limit(database, [monthly('10')]);
      expect((await check(database)).used).to.equal('3');
      await use(
        database,
        { id: 'two', subject: 'acme-2', data: { v: '4.5' } },
        { id: 'two', subject: 'acme-2', data: { v: '4.5' } },
      );
      expect(await check(database)).to.deep.include({ used: '7.5', remaining: '2.5', period: MONTH });
    });

    it('are set from day rows where days are rolled, to the same', async (database) => {
      await prepare(database);
      for (const [id, time] of [
        ['a', '2026-03-01T00:00:00Z'],
        ['b', '2026-03-05T12:00:00Z'],
        ['c', '2026-03-10T11:59:59Z'],
      ] as const)
        await use(database, { id, time });
      while ((await rollDays(database, NAMESPACE, NOON)) > 0);
      await limit(database, [monthly('10')]);
      expect((await check(database)).used).to.equal('3');
    });

    it('keep their count when only the amount changes, also below what is used', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await use(database, { id: 'a', data: { v: '6' } });
      await granted(database, { amount: '2' });
      await limit(database, [monthly('5')]);
      expect(await check(database)).to.deep.include({
        limit: '5',
        used: '6',
        reserved: '2',
        remaining: '0',
        allowed: false,
      });
    });

    it('count anew with another period, and hold what is held', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await use(database, { id: 'a', data: { v: '6' }, time: '2026-03-09T00:00:00Z' });
      await use(database, { id: 'b', data: { v: '1' } });
      await granted(database, { amount: '2' });
      await limit(database, [monthly('10', { period: { every: 'P1D' } })]);
      expect(await check(database)).to.deep.include({ used: '1', reserved: '2', remaining: '7' });
    });

    it('that were deleted leave no trace in those set afterwards', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await use(database, { id: 'a', data: { v: '6' } });
      expect(await run(database, (tx) => deleteLimits(tx, { ...OF, now: NOON }))).to.equal(true);
      expect(await run(database, (tx) => deleteLimits(tx, { ...OF, now: NOON }))).to.equal(false);
      expect(await check(database)).to.deep.include({ allowed: true, reason: 'no_limit', limit: null });
      expect((await getLimits(database, OF)).limits).to.deep.equal([]);
      await use(database, { id: 'b', data: { v: '1' } });
      await limit(database, [monthly('10')]);
      expect((await check(database)).used).to.equal('7');
    });

    it('watch the subjects of customers with hard limits, and no others', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10', { overage: 'soft' })]);
      expect(await isWatched(database, 'acme-1')).to.equal(false);
      await limit(database, [monthly('10')], { feature: 'calls' });
      expect(await isWatched(database, 'acme-1')).to.equal(true);
      expect(await isWatched(database, 'bolt-1')).to.equal(false);
      await run(database, (tx) => deleteLimits(tx, { ...OF, feature: 'calls', now: NOON }));
      expect(await isWatched(database, 'acme-1')).to.equal(false);
    });

    it('follow a subject to its new customer, with what it used from then on', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await limit(database, [monthly('10')], { customer: 'bolt' });
      await use(database, { id: 'before', data: { v: '2' }, time: '2026-03-10T10:00:00Z' });
      await use(database, { id: 'after', data: { v: '3' }, time: '2026-03-10T11:00:00Z' });
      const from = instant('2026-03-10T10:30:59Z');
      await run(database, (tx) =>
        moveSubject(tx, { namespace: NAMESPACE, subject: 'acme-1', to: 'bolt', from, now: NOON }),
      );
      expect((await check(database)).used).to.equal('2');
      expect((await check(database, { customer: 'bolt' })).used).to.equal('3');
      // An event counts for whom its subject belonged to at the event's time.
      await use(
        database,
        { id: 'late', data: { v: '4' }, time: '2026-03-10T10:29:59Z' },
        { id: 'new', data: { v: '1' } },
      );
      expect((await check(database)).used).to.equal('6');
      expect((await check(database, { customer: 'bolt' })).used).to.equal('4');
    });

    it('take late events into the period that is over', async (database) => {
      await prepare(database);
      const before = NOON - MICROS_PER_DAY;
      await limit(database, [monthly('10', { period: { every: 'P1D' } })], { now: before });
      await use(
        database,
        { id: 'today', data: { v: '1' } },
        { id: 'late', data: { v: '5' }, time: formatInstant(before) },
      );
      const used = (await rowsOf(database)).map((row) => row.used);
      expect(used).to.deep.equal([{ '1': '5' }, { '1': '1' }]);
      expect((await check(database)).used).to.equal('1');
    });

    it('count by the generation that is active, from the moment it is', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      await use(database, { id: 'a', data: { v: '4', m: 'free' } });
      const definition = {
        name: 'Tokens',
        eventType: 'use',
        aggregation: 'sum',
        value: 'v',
        filter: "data.m != 'free'",
      } as const;
      await run(database, (tx) => saveMeter(tx, { namespace: NAMESPACE, key: 'tokens', definition }));
      await use(database, { id: 'b', data: { v: '2', m: 'free' } }, { id: 'c', data: { v: '1', m: 'm1' } });
      expect((await check(database)).used).to.equal('7');
      await run(database, (tx) =>
        activateMeter(tx, { namespace: NAMESPACE, key: 'tokens', version: 2, now: NOON }),
      );
      expect((await check(database)).used).to.equal('1');
      await run(database, (tx) =>
        activateMeter(tx, { namespace: NAMESPACE, key: 'tokens', version: 1, now: NOON }),
      );
      expect((await check(database)).used).to.equal('7');
    });

    it('cannot be hard where usage does not add up, nor be set on what is not measured', async (database) => {
      await prepare(database);
      const hard = await refused(limit(database, [monthly('10')], { feature: 'users' }));
      expect(hard.code).to.equal('aggregation_not_limitable');
      expect(hard.violations.map(({ pointer }) => pointer)).to.deep.equal(['/limits/0/overage']);
      expect((await refused(limit(database, [monthly('x', { key: '!' })]))).violations).to.have.length(2);
      expect((await refused(limit(database, [monthly('1')], { feature: 'seats' }))).code).to.equal(
        'feature_without_meter',
      );
      expect((await refused(limit(database, [monthly('1')], { feature: 'none' }))).code).to.equal(
        'feature_not_found',
      );
    });

    it('keep a meter from becoming one that no hard limit can count', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const definition = { name: 'Most', eventType: 'use', aggregation: 'max', value: 'v' } as const;
      await run(database, (tx) => saveMeter(tx, { namespace: NAMESPACE, key: 'tokens', definition }));
      await use(database, { id: 'a', data: { v: '4' } });
      expect((await check(database)).used).to.equal('4');
      const activation = run(database, (tx) =>
        activateMeter(tx, { namespace: NAMESPACE, key: 'tokens', version: 2, now: NOON }),
      );
      expect((await refused(activation)).code).to.equal('aggregation_not_limitable');
    });
  });
});

describe('rolling limits', () => {
  onBothDrivers(TABLES, (it) => {
    const rolling = monthly('10', { key: 'recent', period: { rolling: 'PT5H' } });

    it('count the window that ends now, and say when there is room again', async (database) => {
      await prepare(database);
      await use(database, { id: 'old', data: { v: '9' }, time: '2026-03-10T06:58:59Z' });
      await use(database, { id: 'first', data: { v: '3' }, time: '2026-03-10T08:00:30Z' });
      await limit(database, [rolling]);
      await use(database, { id: 'second', data: { v: '6' }, time: '2026-03-10T09:00:00Z' });
      expect(await check(database, { amount: '1' })).to.deep.include({
        allowed: true,
        used: '9',
        remaining: '1',
      });
      // Two fit when the first three have left the window, seven when all have; eleven never do.
      const at = (minute: string): number => instant(`2026-03-10T${minute}:00Z`);
      expect((await check(database, { amount: '2' })).resetsAt).to.equal(at('13:01'));
      expect((await check(database, { amount: '7' })).resetsAt).to.equal(at('14:01'));
      expect((await check(database, { amount: '11' })).resetsAt).to.equal(null);
      expect((await check(database, { amount: '2' }, at('13:00'))).allowed).to.equal(false);
      expect((await check(database, { amount: '2' }, at('13:01'))).allowed).to.equal(true);
    });

    it('are one row however long they run, and hold reservations', async (database) => {
      await prepare(database);
      await limit(database, [rolling]);
      for (let hour = 0; hour < 6; hour++)
        await use(database, { id: `e-${hour}`, time: formatInstant(NOON - hour * MICROS_PER_HOUR) });
      await granted(database, { amount: '2' });
      expect(await rowsOf(database, { key: 'recent' })).to.have.length(1);
      expect(await check(database)).to.deep.include({ used: '6', reserved: '2', remaining: '2' });
      expect((await reserve(database, { id: 'r-2', amount: '3' })).outcome).to.equal('quota_exceeded');
      const later = NOON + MICROS_PER_HOUR + MICROS_PER_MINUTE;
      expect((await check(database, {}, later)).used).to.equal('4');
    });
  });
});
