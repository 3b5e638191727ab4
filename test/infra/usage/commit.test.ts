import { expect } from 'chai';
import { dayOf } from '#domain/instant.ts';
import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { catalogue } from '#infra/catalogue/tables.ts';
import { RefusedValue } from '#infra/database/errors.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { CatalogueMoving, commitDeliveries } from '#infra/usage/commit.ts';
import type { CommitContext } from '#infra/usage/commit.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { conflict, deadLetter, distinctValue, event, usageDay, usageHour } from '#infra/usage/tables.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  expectUsage,
  instant,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  outcomesOf,
  storedEvent,
  SUM_METER,
} from './usage-fixture.ts';
import type { Said, Stores } from './usage-fixture.ts';

const SECOND = 1_000_000;

/** A catalogue that changes after each of the first so many times it was loaded. */
function movingCatalogue(stores: Stores, changes: number): CommitContext {
  let left = changes;
  const get = async (namespace: string) => {
    const loaded = await loadCatalogue(stores.database, namespace);
    if (left-- > 0) {
      const definition = {
        name: 'Calls',
        eventType: 'use',
        aggregation: 'count',
        filter: `data.v != 'x${left}'`,
      } as const;
      await putMeter(stores.database, { namespace: NAMESPACE, key: 'calls', definition });
    }
    return loaded;
  };
  return { ...stores.writer(), catalogues: { get, forget: () => undefined } };
}

describe('committing a batch', () => {
  it('stores an event under its identity, with all its effects, in one commit', async () => {
    const stores = await openStores(ALL_METERS);
    const one = delivery({ data: { v: '1.5', u: 'ann', m: 'm1' } });
    const before = stores.database.counts().commits;
    const committed = await commit(stores, [one]);
    expect(stores.database.counts().commits - before).to.equal(1);
    expect(outcomesOf(committed)).to.deep.equal(['accepted']);
    expect(storedEvent(stores, 'e-1')).to.include({
      state: 'live',
      subject: 'acme',
      type: 'use',
      committedAt: committed.committedAt,
    });
    expectUsage(stores, { live: [one] });
  });

  it('gives a copy that is stored already no effect, in its batch or in a later one', async () => {
    const stores = await openStores(ALL_METERS);
    const said: Said = { data: { v: '2', u: 'ann' } };
    const one = delivery(said);
    expect(outcomesOf(await commit(stores, [one, delivery(said)]))).to.deep.equal(['accepted', 'duplicate']);
    const rows = stores.database.rows(usageHour);
    expect(outcomesOf(await commit(stores, [one, delivery(said)]))).to.deep.equal(['duplicate', 'duplicate']);
    expect(stores.database.rows(usageHour)).to.deep.equal(rows);
    expectUsage(stores, { live: [one] });
  });

  it('takes the copy published first as the event, then the one with the least message id, whatever order they come in', async () => {
    const earlier = delivery({ publishTime: NOON - 1, messageId: 'z', data: { v: '1' } });
    const later = delivery({ publishTime: NOON, messageId: 'a', data: { v: '2' } });
    const twin = delivery({ publishTime: NOON - 1, messageId: 'y', data: { v: '3' } });
    for (const [batch, first] of [
      [[later, earlier], earlier],
      [[earlier, later], earlier],
      [[earlier, later, twin], twin],
    ] as const) {
      const stores = await openStores(SUM_METER);
      await commit(stores, batch);
      expectUsage(stores, { live: [first] });
    }
  });

  for (const [what, other] of Object.entries<Said>({
    time: { time: '2026-03-09T08:00:00Z' },
    subject: { subject: 'globex' },
    type: { type: 'other' },
    value: { data: { v: '5' } },
  })) {
    it(`records a copy with another ${what} as a conflict, once, and counts the event once`, async () => {
      const stores = await openStores(SUM_METER);
      const one = delivery();
      expect(outcomesOf(await commit(stores, [one]))).to.deep.equal(['accepted']);
      for (let again = 0; again < 2; again++)
        expect(outcomesOf(await commit(stores, [delivery(other)]))).to.deep.equal(['conflict']);
      const rows = stores.database.rows(conflict);
      expect(rows.map(({ digest }) => digest)).to.deep.equal([delivery(other).event?.digest]);
      expectUsage(stores, { live: [one] });
    });
  }

  it('records two conflicts of one identity in one batch, each once', async () => {
    const stores = await openStores(SUM_METER);
    const [one, two, three] = [1, 2, 3].map((v) => delivery({ publishTime: NOON + v, data: { v: `${v}` } }));
    const committed = await commit(stores, [three!, one!, two!, three!]);
    expect(outcomesOf(committed)).to.deep.equal(['accepted', 'conflict', 'conflict', 'conflict']);
    expect(stores.database.rows(conflict)).to.have.length(2);
    expectUsage(stores, { live: [one!] });
  });

  it('takes the first copy of a void that came before it as its tombstone: no effect, later copies are duplicates and conflicts', async () => {
    const stores = await openStores(SUM_METER);
    await voidEvent(stores.writer(), nameOf('e-1'));
    expect(storedEvent(stores, 'e-1')).to.include({ state: 'void', digest: null });
    const batch = [delivery(), delivery(), delivery({ data: { v: '9' } })];
    expect(outcomesOf(await commit(stores, batch))).to.deep.equal(['void', 'duplicate', 'conflict']);
    expect(storedEvent(stores, 'e-1')).to.include({
      state: 'void',
      digest: batch[0]?.event?.digest,
      subject: 'acme',
    });
    expect(outcomesOf(await commit(stores, [delivery()]))).to.deep.equal(['duplicate']);
    expectUsage(stores, { live: [] });
  });

  it('keeps the publish time of the first commit as the time of an event without one; sent again it is a duplicate', async () => {
    const stores = await openStores(SUM_METER);
    const first = delivery({ time: undefined, publishTime: NOON });
    await commit(stores, [first]);
    const again = delivery({ time: undefined, publishTime: NOON + 50 * 86_400 * SECOND });
    expect(outcomesOf(await commit(stores, [again]))).to.deep.equal(['duplicate']);
    expect(storedEvent(stores, 'e-1')?.time).to.equal(NOON);
    expectUsage(stores, { live: [first] });
  });

  it('matches a batch again when the catalogue has a newer version, and counts it with that', async () => {
    const stores = await openStores(SUM_METER);
    const writer = stores.writer();
    await writer.catalogues.get(NAMESPACE);
    await putMeter(stores.database, {
      namespace: NAMESPACE,
      key: 'calls',
      definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
    });
    const one = delivery();
    const committed = await commitDeliveries(writer, [one]);
    expect(committed.classified[0]?.copy.effects.map(({ meter }) => meter.label)).to.have.members([
      'tokens@1',
      'calls@1',
    ]);
    expect(storedEvent(stores, 'e-1')?.catalogueVersion).to.equal(2);
    expectUsage(stores, { live: [one] });
  });

  it('matches again for three changes of the catalogue and gives up at the fourth, with nothing written', async () => {
    const three = await openStores(SUM_METER);
    expect(outcomesOf(await commitDeliveries(movingCatalogue(three, 3), [delivery()]))).to.deep.equal([
      'accepted',
    ]);
    const four = await openStores(SUM_METER);
    const error = await errorOf(() => commitDeliveries(movingCatalogue(four, 4), [delivery()]));
    expect(error).to.be.instanceOf(CatalogueMoving);
    expect(four.database.rows(event)).to.deep.equal([]);
  });

  it('writes the day rows too when the day of an event was closed after the batch was matched', async () => {
    const stores = await openStores(SUM_METER);
    const yesterday: Said = { time: '2026-03-09T10:00:00Z' };
    const writer = stores.writer();
    const first = delivery({ ...yesterday, id: 'e-0' });
    await commitDeliveries(writer, [first]);
    await rollDays(stores.database, NAMESPACE, NOON);
    const late = delivery(yesterday);
    await commitDeliveries(writer, [late]);
    expect(stores.database.rows(usageDay)).to.have.length(1);
    expectUsage(stores, { live: [first, late], rolledThrough: dayOf(NOON) - 1 });
  });
});

describe('refusing an event', () => {
  it('dead-letters it with its reason and original bytes, and counts it on no meter at all', async () => {
    const stores = await openStores({
      ...SUM_METER,
      calls: { name: 'Calls', eventType: 'use', aggregation: 'count' },
    });
    const refused = delivery({ data: { w: '1' } });
    const committed = await commit(stores, [refused]);
    expect(committed.refused.map(({ refusal }) => refusal.reason)).to.deep.equal(['value_missing']);
    const [letter] = stores.database.rows(deadLetter);
    expect(letter).to.include({
      reason: 'value_missing',
      state: 'open',
      eventId: 'e-1',
      subject: 'acme',
      publishTime: NOON,
    });
    expect(letter?.bytes).to.deep.equal(refused.message.data);
    expectUsage(stores, { live: [] });
  });

  it('writes dead letters in the transaction of the events beside them: all or nothing', async () => {
    const stores = await openStores(SUM_METER);
    stores.database.setFaults({ ...noFaults, refuse: (_, table) => table === 'dead_letter' });
    const batch = [delivery(), delivery({ id: 'e-2', data: { v: 'many' } })];
    expect(await errorOf(() => commit(stores, batch))).to.be.instanceOf(RefusedValue);
    expect(stores.database.rows(event)).to.deep.equal([]);
    stores.database.setFaults(noFaults);
    const committed = await commit(stores, batch);
    expect(outcomesOf(committed)).to.deep.equal(['accepted']);
    expect(stores.database.rows(deadLetter).map(({ reason }) => reason)).to.deep.equal([
      'value_not_a_number',
    ]);
  });

  it('never dead-letters a copy of an event that is stored, though a meter made since would refuse it', async () => {
    const stores = await openStores(SUM_METER);
    const said: Said = { data: { v: '1' } };
    await commit(stores, [delivery(said)]);
    const definition = { name: 'Words', eventType: 'use', aggregation: 'sum', value: 'w' } as const;
    await putMeter(stores.database, { namespace: NAMESPACE, key: 'words', definition });
    const batch = [delivery(said), delivery({ data: { v: '2' } }), delivery({ id: 'e-2' })];
    const committed = await commit(stores, batch);
    expect(outcomesOf(committed)).to.deep.equal(['duplicate', 'conflict']);
    expect(stores.database.rows(deadLetter).map(({ eventId }) => eventId)).to.deep.equal(['e-2']);
  });
});

describe('the rows of a commit', () => {
  it('stay within one for the event, one a meter and view, and one a new distinct value', async () => {
    const stores = await openStores(ALL_METERS);
    const { rows } = await commit(stores, [delivery({ data: { v: '1', u: 'ann', m: 'm1' } })]);
    const written = [event, usageHour, distinctValue].map(
      (table) => stores.database.rows<object>(table).length,
    );
    // Eight meters, one of them with dimensions, one unique.
    expect(written).to.deep.equal([1, 9, 1]);
    expect(rows).to.equal(11);
  });

  it('fold: a second event of the same cells adds its own row and nothing else', async () => {
    const stores = await openStores(ALL_METERS);
    const data = { v: '1', u: 'ann', m: 'm1' };
    const { rows } = await commit(stores, [delivery({ data }), delivery({ id: 'e-2', data })]);
    expect(rows).to.equal(12);
  });

  it('of a late event are one more for each day row it changes', async () => {
    const stores = await openStores(SUM_METER);
    const time = '2026-03-09T10:00:00Z';
    await commit(stores, [delivery({ time })]);
    await rollDays(stores.database, NAMESPACE, NOON);
    const { rows } = await commit(stores, [delivery({ id: 'e-2', time })]);
    expect(rows).to.equal(3);
    expect(stores.database.rows(catalogue)[0]?.rolledThrough).to.equal(dayOf(instant(time)));
  });
});
