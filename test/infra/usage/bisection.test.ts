import { expect } from 'chai';
import { StoreFailure } from '#infra/database/errors.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { createBisectingCommitter } from '#infra/usage/bisection.ts';
import type { BisectedCommit } from '#infra/usage/bisection.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { deadLetter, event } from '#infra/usage/tables.ts';
import { delivery, errorOf, expectUsage, openStores, SUM_METER } from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

const SECOND = 1_000_000;

const good = (number: number): Delivery => delivery({ id: `good-${number}` });
const bad = (number: number): Delivery => delivery({ id: `bad-${number}`, subject: `bad ${number}` });

/** A store that refuses to hold the events of some subjects. */
async function openRefusing(): Promise<Stores> {
  const stores = await openStores(SUM_METER);
  const refuse = (row: object, table: string): boolean =>
    table === 'event' && 'subject' in row && String(row.subject).startsWith('bad');
  stores.database.setFaults({ ...noFaults, refuse });
  return stores;
}

const outcomesOf = ({ committed }: BisectedCommit): string[] =>
  committed.flatMap(({ classified }) => classified.map(({ outcome }) => outcome));
const lettersOf = ({ database }: Stores) =>
  database.rows(deadLetter).map(({ eventId, reason }) => [eventId, reason]);
const idsOf = (deliveries: readonly Delivery[]) => deliveries.map(({ event: said }) => said?.id);

describe('bisection of a batch that the store refuses', () => {
  it('dead-letters the single culprit with its bytes, and commits all others', async () => {
    const stores = await openRefusing();
    const others = [0, 1, 2, 3, 4].map(good);
    const culprit = bad(1);
    const result = await createBisectingCommitter(stores.writer()).commit([
      ...others.slice(0, 3),
      culprit,
      ...others.slice(3),
    ]);
    expect(outcomesOf(result)).to.have.length(5);
    expect(result.doubted).to.deep.equal([]);
    expect(lettersOf(stores)).to.deep.equal([['bad-1', 'rejected_by_store']]);
    expect(stores.database.rows(deadLetter)[0]?.bytes).to.deep.equal(culprit.message.data);
    expectUsage(stores, { live: others });
  });

  it('doubts a culprit that stands alone, and dead-letters it once another event was stored beside it', async () => {
    const stores = await openRefusing();
    const committer = createBisectingCommitter(stores.writer());
    for (let attempt = 0; attempt < 3; attempt++) {
      const { doubted } = await committer.commit([bad(1)]);
      expect(idsOf(doubted)).to.deep.equal(['bad-1']);
    }
    expect(lettersOf(stores)).to.deep.equal([]);
    await committer.commit([bad(1), good(1)]);
    expect(lettersOf(stores)).to.deep.equal([['bad-1', 'rejected_by_store']]);
  });

  it('dead-letters a culprit that always comes alone when other events were stored since it was refused first', async () => {
    const stores = await openRefusing();
    const committer = createBisectingCommitter(stores.writer());
    await committer.commit([bad(1)]);
    await committer.commit([good(1)]);
    const { doubted } = await committer.commit([bad(1), bad(1)]);
    expect(doubted).to.deep.equal([]);
    expect(lettersOf(stores)).to.have.length(2);
  });

  it('takes no duplicate for a success: of those the store is hardly asked', async () => {
    const stores = await openRefusing();
    const committer = createBisectingCommitter(stores.writer());
    await committer.commit([good(1)]);
    const result = await committer.commit([good(1), bad(1)]);
    expect(outcomesOf(result)).to.deep.equal(['duplicate']);
    expect(idsOf(result.doubted)).to.deep.equal(['bad-1']);
    expect(lettersOf(stores)).to.deep.equal([]);
  });

  it('takes copies of one event for one culprit', async () => {
    const stores = await openRefusing();
    const copies = [bad(1), bad(1)];
    await createBisectingCommitter(stores.writer()).commit([good(1), ...copies]);
    expect(lettersOf(stores)).to.deep.equal(copies.map(() => ['bad-1', 'rejected_by_store']));
  });

  it('dead-letters nothing when two culprits follow each other', async () => {
    const stores = await openRefusing();
    const error = await errorOf(() =>
      createBisectingCommitter(stores.writer()).commit([good(1), bad(1), bad(2), good(2)]),
    );
    expect(error).to.be.instanceOf(StoreFailure);
    expect(lettersOf(stores)).to.deep.equal([]);
  });

  it('dead-letters nothing more once over one in a hundred events is refused', async () => {
    const stores = await openRefusing();
    const committer = createBisectingCommitter(stores.writer());
    for (let i = 0; i < 10; i++) await committer.commit([good(i), bad(i)]);
    expect(lettersOf(stores)).to.have.length(10);
    const error = await errorOf(() => committer.commit([good(10), bad(10)]));
    expect(error).to.be.instanceOf(StoreFailure);
    expect(lettersOf(stores)).to.have.length(10);
  });

  it('begins to count anew after a thousand events', async () => {
    const stores = await openRefusing();
    const committer = createBisectingCommitter(stores.writer());
    for (let i = 0; i < 10; i++) await committer.commit([good(i), bad(i)]);
    await committer.commit(Array.from({ length: 1_000 }, (_, i) => good(100 + i)));
    await committer.commit([good(10), bad(10)]);
    expect(lettersOf(stores)).to.have.length(11);
  });

  it('never dead-letters because the store is down', async () => {
    const stores = await openRefusing();
    const committer = createBisectingCommitter(stores.writer());
    stores.database.failFor(60 * SECOND);
    expect(await errorOf(() => committer.commit([good(1), good(2)]))).to.be.instanceOf(StoreFailure);
    stores.database.failFor(0);
    expect(outcomesOf(await committer.commit([good(1), good(2)]))).to.deep.equal(['accepted', 'accepted']);
    expect(stores.database.rows(event)).to.have.length(2);
    expect(lettersOf(stores)).to.deep.equal([]);
  });
});
