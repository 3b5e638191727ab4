import { expect } from 'chai';
import { putFeature } from '#infra/catalogue/features.ts';
import { limitRow } from '#infra/entitlements/tables.ts';
import { amendEvent, AmendmentRefused } from '#infra/usage/amend-event.ts';
import { conflict, deadLetter } from '#infra/usage/tables.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import { customer, limit, monthly, run } from '#test/infra/entitlements/quota-fixture.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  exactEvents,
  expectUsage,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  outcomesOf,
  storedEvent,
  SUM_METER,
} from './usage-fixture.ts';
import type { Said, Stores } from './usage-fixture.ts';

const data = (v: string) => ({ v, u: 'ann', m: 'm1' });

async function expectRefused(stores: Stores, replacement: Said, message: string): Promise<void> {
  const error = await errorOf(() => amendEvent(stores.writer(), nameOf('e-1'), delivery(replacement)));
  expect(error).to.be.instanceOf(AmendmentRefused);
  expect((error as Error).message).to.contain(message);
}

describe('amending an event', () => {
  it('takes the old one back and counts the new one in a single commit', async () => {
    const stores = await openStores(ALL_METERS);
    const [old, replacement] = [delivery({ data: data('5') }), delivery({ id: 'e-1.1', data: data('3') })];
    await commit(stores, [old]);
    const before = stores.database.counts().commits;
    const { voided, committed } = await amendEvent(stores.writer(), nameOf('e-1'), replacement);
    // The other one notes that the warehouse has the replacement.
    expect(stores.database.counts().commits - before).to.equal(2);
    expect([voided, ...outcomesOf(committed)]).to.deep.equal(['voided', 'accepted']);
    // Both lie in the same cells, so the void has to see what the commit wrote.
    expectUsage(stores, { live: [replacement], voided: [old] });
    const shown = await exactEvents(stores);
    expect(shown.map((row) => row['id'])).to.deep.equal(['e-1.1']);
  });

  it('repeated, changes nothing', async () => {
    const stores = await openStores(ALL_METERS);
    const [old, replacement] = [delivery({ data: data('5') }), delivery({ id: 'e-1.1', data: data('3') })];
    await commit(stores, [old]);
    await amendEvent(stores.writer(), nameOf('e-1'), replacement);
    const { voided, committed } = await amendEvent(stores.writer(), nameOf('e-1'), replacement);
    expect([voided, ...outcomesOf(committed)]).to.deep.equal(['already', 'duplicate']);
    expectUsage(stores, { live: [replacement], voided: [old] });
  });

  it('of an event that has not come yet is ahead of it', async () => {
    const stores = await openStores(SUM_METER);
    const replacement = delivery({ id: 'e-1.1' });
    const { voided } = await amendEvent(stores.writer(), nameOf('e-1'), replacement);
    expect(voided).to.equal('ahead');
    expect(outcomesOf(await commit(stores, [delivery()]))).to.deep.equal(['void']);
    expectUsage(stores, { live: [replacement] });
  });

  it('leaves the old event as it is when the new one cannot count', async () => {
    const stores = await openStores(SUM_METER);
    const [old, other] = [delivery(), delivery({ id: 'e-2', data: { v: '7' } })];
    await commit(stores, [old, other]);
    await voidEvent(stores.writer(), nameOf('e-3'));
    await expectRefused(stores, { id: 'e-1.1', data: { w: '1' } }, 'value_missing');
    await expectRefused(stores, { id: 'e-1.1', time: '2025-01-01T00:00:00Z' }, 'too_old');
    await expectRefused(stores, { id: 'e-2', data: { v: '8' } }, 'says something else');
    await expectRefused(stores, { id: 'e-3' }, 'void itself');
    await expectRefused(stores, { id: 'e-1' }, 'of its own');
    expect(storedEvent(stores, 'e-1')?.state).to.equal('live');
    expect([...stores.database.rows(deadLetter), ...stores.database.rows(conflict)]).to.deep.equal([]);
    expectUsage(stores, { live: [old, other] });
  });
});

describe('amending an event beyond a hard limit', () => {
  const overdraft = ({ database }: Stores): string | undefined => database.rows(limitRow)[0]?.overdraft;
  const used = ({ database }: Stores): string => Object.values(database.rows(limitRow)[0]?.used ?? {}).join();

  async function limited(v: string): Promise<Stores> {
    const stores = await openStores(SUM_METER);
    await run(stores.database, (tx) =>
      putFeature(tx, { namespace: NAMESPACE, key: 'tokens', name: 'Tokens', meter: 'tokens', now: NOON }),
    );
    await customer(stores.database, 'acme', ['acme']);
    await limit(stores.database, [monthly('10')]);
    await commit(stores, [delivery({ data: { v } })]);
    return stores;
  }

  const amendTo = (stores: Stores, v: string, subject = 'acme') =>
    amendEvent(stores.writer(), nameOf('e-1'), delivery({ id: 'e-1.1', subject, data: { v } }));

  it('records as overdraft only what usage has grown by', async () => {
    const stores = await limited('15');
    expect(overdraft(stores)).to.equal('5');
    await amendTo(stores, '13');
    expect([used(stores), overdraft(stores)]).to.deep.equal(['13', '5']);
  });

  it('within the limit records none, although both events together are beyond it', async () => {
    const stores = await limited('8');
    await amendTo(stores, '9');
    expect([used(stores), overdraft(stores)]).to.deep.equal(['9', '0']);
  });

  it('records what the new event has more than the old one', async () => {
    const stores = await limited('12');
    await amendTo(stores, '16');
    expect([used(stores), overdraft(stores)]).to.deep.equal(['16', '6']);
  });

  it('takes the usage off the limit when the new event is somebody else’s', async () => {
    const stores = await limited('12');
    await amendTo(stores, '12', 'nobody');
    expect([used(stores), overdraft(stores)]).to.deep.equal(['0', '2']);
  });
});
