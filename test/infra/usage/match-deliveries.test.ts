import { expect } from 'chai';
import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import type { EventSchema } from '#infra/catalogue/load-schemas.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { deadLetter } from '#infra/usage/tables.ts';
import { emptyCounters, countCommit } from '#pipelines/usage/counters.ts';
import { commit, delivery, expectUsage, openStores, outcomesOf, SUM_METER } from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

/** Data must have a `w`; there are four things to say of data that has not. */
const schema = (enforce: EventSchema['enforce']): EventSchema => ({
  enforce,
  validate: (text) => (text.includes('"w"') ? [] : ['/w is missing', '/x too', '/y too', '/z too']),
});

function cataloguesWith({ database }: Stores, enforce: EventSchema['enforce']): Catalogues {
  const get = async (namespace: string) => ({
    ...(await loadCatalogue(database, namespace)),
    schemaOf: (type: string) => (type === 'use' ? schema(enforce) : undefined),
  });
  return { get, forget: () => undefined };
}

describe('the schema of an event type', () => {
  const batch = () => [
    delivery({ data: { v: '1' } }),
    delivery({ id: 'e-2', data: { v: '2', w: '0' } }),
    delivery({ id: 'e-3', type: 'note', data: {} }),
  ];

  it('refuses an event that does not follow it, with the first few things that are wrong', async () => {
    const stores = await openStores(SUM_METER);
    const catalogues = cataloguesWith(stores, 'reject');
    const committed = await commitDeliveries({ ...stores.writer(), catalogues }, batch());
    expect(outcomesOf(committed)).to.deep.equal(['accepted', 'accepted']);
    const [letter] = stores.database.rows(deadLetter);
    expect(letter).to.include({ reason: 'schema_violation', eventId: 'e-1' });
    expect(letter?.detail).to.contain('/w is missing; /x too; /y too').and.not.contain('/z');
    expectUsage(stores, { live: batch().slice(1) });
  });

  it('that is only reported counts the event and is counted itself', async () => {
    const stores = await openStores(SUM_METER);
    const catalogues = cataloguesWith(stores, 'report');
    const committed = await commitDeliveries({ ...stores.writer(), catalogues }, batch());
    expect([committed.refused.length, committed.schemaReports]).to.deep.equal([0, 1]);
    expectUsage(stores, { live: batch() });
    const counters = emptyCounters();
    countCommit(counters, committed);
    expect(counters.schema_reported_total).to.equal(1);
  });

  it('refuses no copy of an event that is stored', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, batch().slice(0, 1));
    const catalogues = cataloguesWith(stores, 'reject');
    const committed = await commitDeliveries({ ...stores.writer(), catalogues }, batch().slice(0, 1));
    expect([committed.refused.length, outcomesOf(committed)]).to.deep.equal([0, ['duplicate']]);
  });
});
