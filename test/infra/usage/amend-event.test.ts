import { expect } from 'chai';
import { amendEvent, AmendmentRefused } from '#infra/usage/amend-event.ts';
import { conflict, deadLetter } from '#infra/usage/tables.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  exactEvents,
  expectUsage,
  nameOf,
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
    expect(stores.database.counts().commits - before).to.equal(1);
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
