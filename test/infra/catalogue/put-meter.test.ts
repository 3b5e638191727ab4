import { expect } from 'chai';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { CatalogueError } from '#infra/catalogue/errors.ts';
import { loadCatalogue, readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { InvalidMeter, putMeter } from '#infra/catalogue/put-meter.ts';
import type { SavedMeter } from '#infra/catalogue/put-meter.ts';
import { catalogue, CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const NAMESPACE = 'default';
const tokens: MeterDefinition = {
  name: 'Tokens',
  eventType: 'use',
  aggregation: 'sum',
  value: 'tokens',
  dimensions: { model: 'm', region: 'r' },
};

function open(): HostileDatabase {
  const schedule = {
    point: () => Promise.resolve(),
    random: seededRandom(1).next,
    now: () => SIMULATION_START,
  };
  return openHostile({ tables: [...CATALOGUE_TABLES, ...PLAN_TABLES], schedule, faults: noFaults });
}

const put = (database: HostileDatabase, definition: MeterDefinition, key = 'tokens'): Promise<SavedMeter> =>
  putMeter(database, { namespace: NAMESPACE, key, definition });
const activate = (database: HostileDatabase, version: number) =>
  database.transact((tx) =>
    activateMeter(tx, { namespace: NAMESPACE, key: 'tokens', version, now: SIMULATION_START }),
  );
const versionOf = (database: HostileDatabase): number => database.rows(catalogue)[0]?.version ?? 0;
const statesOf = async (database: HostileDatabase) =>
  (await readMeterVersions(database, NAMESPACE, 'tokens')).map(({ state }) => state);

/** What a call was rejected with, or nothing. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('saving a meter', () => {
  it('makes its first version, which is read and counts from the new catalogue version on', async () => {
    const database = open();
    const saved = await put(database, tokens);
    expect(saved).to.deep.equal({
      change: 'created',
      meter: {
        key: 'tokens',
        version: 1,
        generation: 1,
        definition: tokens,
        state: 'active',
        since: 1,
        until: null,
      },
    });
    expect(versionOf(database)).to.equal(1);
  });

  it('with another definition makes a version and a generation of its own, while the one before goes on', async () => {
    const database = open();
    await put(database, tokens);
    const { change, meter } = await put(database, { ...tokens, value: 'total' });
    expect(change).to.equal('versioned');
    expect(meter).to.include({ version: 2, generation: 2, state: 'building', since: 2 });
    expect(await statesOf(database)).to.deep.equal(['active', 'building']);
    const { current } = await loadCatalogue(database, NAMESPACE);
    expect(current.byType.get('use')?.map(({ label }) => label)).to.deep.equal(['tokens@1', 'tokens@2']);
  });

  it('again as it is changes nothing, in whatever order its dimensions are named: so a lost answer is put right by a repetition', async () => {
    const database = open();
    await put(database, tokens);
    const { change, meter } = await put(database, { ...tokens, dimensions: { region: 'r', model: 'm' } });
    expect([change, meter.version, versionOf(database)]).to.deep.equal(['unchanged', 1, 1]);
  });

  it('under another name renames it without a version', async () => {
    const database = open();
    await put(database, tokens);
    const { change } = await put(database, { ...tokens, name: 'All tokens' });
    expect([change, versionOf(database)]).to.deep.equal(['renamed', 1]);
    const [meter] = await readMeterVersions(database, NAMESPACE, 'tokens');
    expect(meter?.definition.name).to.equal('All tokens');
  });

  it('tells everything that is wrong with it at once, and saves nothing', async () => {
    const database = open();
    const error = await rejection(
      put(database, { ...tokens, name: '', value: undefined, filter: 'data.m ==' }, 'No Key'),
    );
    expect(error).to.be.instanceOf(InvalidMeter);
    expect((error as InvalidMeter).violations.map(({ code }) => code)).to.have.members([
      'invalid_key',
      'empty',
      'value_required',
      'invalid_filter',
    ]);
    expect(database.rows(catalogue)).to.deep.equal([]);
  });

  it('takes no more than 200 versions for one event type', async () => {
    const database = open();
    for (let i = 0; i < 200; i++) await put(database, { ...tokens, value: `v${i}` }, `meter-${i % 20}`);
    const error = await rejection(put(database, { ...tokens, value: 'more' }));
    expect((error as InvalidMeter).violations.map(({ code }) => code)).to.deep.equal(['too_many_meters']);
    expect((await put(database, { ...tokens, eventType: 'other' })).change).to.equal('created');
  });

  it('of one namespace touches no other', async () => {
    const database = open();
    await put(database, tokens);
    const { meter } = await putMeter(database, { namespace: 'sandbox', key: 'tokens', definition: tokens });
    expect(meter).to.include({ version: 1, since: 1 });
    expect(await readMeterVersions(database, NAMESPACE)).to.have.length(1);
  });
});

describe('activating a version of a meter', () => {
  it('switches the readers and keeps the one before, which can be switched back', async () => {
    const database = open();
    await put(database, tokens);
    await put(database, { ...tokens, value: 'total' });
    await activate(database, 2);
    expect(await statesOf(database)).to.deep.equal(['retired', 'active']);
    await activate(database, 1);
    expect(await statesOf(database)).to.deep.equal(['active', 'retired']);
    expect(versionOf(database)).to.equal(4);
  });

  it('that does not exist is refused', async () => {
    const database = open();
    await put(database, tokens);
    expect(await rejection(activate(database, 2))).to.be.instanceOf(CatalogueError);
    expect(versionOf(database)).to.equal(1);
  });
});

describe('the catalogues a process works with', () => {
  it('are loaded once, until they are forgotten', async () => {
    const database = open();
    const catalogues = createCatalogues(database);
    const first = await catalogues.get(NAMESPACE);
    await put(database, tokens);
    expect(await catalogues.get(NAMESPACE)).to.equal(first);
    catalogues.forget(NAMESPACE);
    expect((await catalogues.get(NAMESPACE)).row.version).to.equal(1);
  });

  it('are asked for again after a load that failed', async () => {
    const database = open();
    const catalogues = createCatalogues(database);
    database.failFor(1_000_000);
    expect(await rejection(catalogues.get(NAMESPACE))).to.be.instanceOf(Error);
    database.failFor(0);
    expect((await catalogues.get(NAMESPACE)).row.version).to.equal(0);
  });

  it('tell the meters as they stood at an earlier version', async () => {
    const database = open();
    await put(database, tokens);
    await put(database, { ...tokens, value: 'total' });
    const loaded = await loadCatalogue(database, NAMESPACE);
    expect(
      loaded
        .at(1)
        .byType.get('use')
        ?.map(({ label }) => label),
    ).to.deep.equal(['tokens@1']);
    expect(loaded.at(0).byType.size).to.equal(0);
  });
});
