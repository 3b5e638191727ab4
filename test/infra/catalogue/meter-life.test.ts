import { expect } from 'chai';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { activateMeter, revertMeter } from '#infra/catalogue/activate-meter.ts';
import { archiveMeter } from '#infra/catalogue/archive-meter.ts';
import { CatalogueError } from '#infra/catalogue/errors.ts';
import { archiveFeature, listFeatures, putFeature, readFeature } from '#infra/catalogue/features.ts';
import { activeVersionOf, getMeter, isArchived, listMeters } from '#infra/catalogue/list-meters.ts';
import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const NAMESPACE = 'default';
const NOW = SIMULATION_START;
const tokens: MeterDefinition = { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v1' };
const place = { namespace: NAMESPACE, key: 'tokens', now: NOW };

const run = async <Result>(database: Database, work: (tx: Transaction) => Promise<Result>): Promise<Result> =>
  (await database.transact(work)).result;
const put = (database: Database, value = 'v1', key = 'tokens') =>
  putMeter(database, { namespace: NAMESPACE, key, definition: { ...tokens, value } });
const activate = (database: Database, version: number) =>
  run(database, (tx) => activateMeter(tx, { ...place, version }));
const revert = (database: Database) => run(database, (tx) => revertMeter(tx, place));
const archive = (database: Database, key = 'tokens') =>
  run(database, (tx) => archiveMeter(tx, { namespace: NAMESPACE, key, now: NOW }));
const states = async (database: Database): Promise<string> =>
  ((await getMeter(database, NAMESPACE, 'tokens'))?.versions ?? []).map(({ state }) => state).join(' ');
const counting = async (database: Database): Promise<string> =>
  ((await loadCatalogue(database, NAMESPACE)).current.byType.get('use') ?? [])
    .map(({ label }) => label)
    .join(' ');
const feature = (
  database: Database,
  said: { key: string; name?: string; meter?: string | null; unit?: string },
) => run(database, (tx) => putFeature(tx, { namespace: NAMESPACE, name: said.key, now: NOW, ...said }));

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await rejectionOf(promise);
  expect(error).to.be.instanceOf(CatalogueError);
  return (error as CatalogueError).code;
}

describe('the life of a meter', () => {
  onBothDrivers([...CATALOGUE_TABLES, ...PLAN_TABLES], (test) => {
    test('goes back to the version that was active before, and back again', async (database) => {
      for (const value of ['v1', 'v2', 'v3']) await put(database, value);
      await activate(database, 3);
      await activate(database, 2);
      expect(await states(database)).to.equal('retired active retired');
      expect((await revert(database)).version).to.equal(3);
      expect((await revert(database)).version).to.equal(2);
      expect(await states(database)).to.equal('retired active retired');
    });

    test('has no way back before another version was active', async (database) => {
      expect(await codeOf(revert(database))).to.equal('meter_not_found');
      await put(database);
      expect(await codeOf(revert(database))).to.equal('no_earlier_version');
      expect(await codeOf(activate(database, 9))).to.equal('meter_version_not_found');
      const { row } = await loadCatalogue(database, NAMESPACE);
      await activate(database, 1);
      expect((await loadCatalogue(database, NAMESPACE)).row).to.deep.equal(row);
    });

    test('ends with its archiving: it counts no more, and the active version stays readable', async (database) => {
      await put(database, 'v1');
      await put(database, 'v2');
      const versions = await archive(database);
      expect(versions.map(({ state, until }) => `${state} ${until}`)).to.deep.equal(['active 3', 'ended 3']);
      expect(await counting(database)).to.equal('');
      const meter = await getMeter(database, NAMESPACE, 'tokens');
      expect([isArchived(meter!), activeVersionOf(meter!)?.version]).to.deep.equal([true, 1]);
      expect(await archive(database)).to.deep.equal(versions);
      expect((await loadCatalogue(database, NAMESPACE)).at(2).byType.get('use')).to.have.length(2);
      expect(await codeOf(archive(database, 'none'))).to.equal('meter_not_found');
    });

    test('begins again with a version of its own when an archived one is saved, and the gap stays a gap', async (database) => {
      await put(database);
      await archive(database);
      const { change, meter } = await put(database);
      expect([change, meter.version, meter.generation, meter.state]).to.deep.equal([
        'versioned',
        2,
        2,
        'building',
      ]);
      expect(await counting(database)).to.equal('tokens@2');
      await activate(database, 2);
      expect(await states(database)).to.equal('ended active');
      expect(await codeOf(revert(database))).to.equal('no_earlier_version');
      expect(await codeOf(activate(database, 1))).to.equal('meter_version_ended');
    });

    test('is told by pages, each meter with all its versions', async (database) => {
      for (const key of ['c', 'a', 'b', 'a.1']) await put(database, 'v1', key);
      for (const key of ['a', 'b']) await put(database, 'v2', key);
      const first = await listMeters(database, NAMESPACE, { limit: 2 });
      const rest = await listMeters(database, NAMESPACE, { limit: 9, after: first.at(-1)!.key });
      const told = [...first, ...rest].map(({ key, versions }) => `${key} ${versions.length}`);
      expect(told).to.deep.equal(['a 2', 'a.1 1', 'b 2', 'c 1']);
    });
  });
});

describe('features', () => {
  onBothDrivers([...CATALOGUE_TABLES, ...PLAN_TABLES], (test) => {
    test('are saved, listed and archived, and saving one again as it is changes nothing', async (database) => {
      await put(database);
      const saved = await feature(database, { key: 'chat', name: 'Chat', meter: 'tokens', unit: 'tokens' });
      expect(saved.change).to.equal('created');
      expect(await readFeature(database, NAMESPACE, 'chat')).to.deep.equal(saved.feature);
      expect(
        (await feature(database, { key: 'chat', name: 'Chat', meter: 'tokens', unit: 'tokens' })).change,
      ).to.equal('unchanged');
      expect((await feature(database, { key: 'sso' })).feature).to.include({ meter: null, unit: null });
      const archived = await run(database, (tx) =>
        archiveFeature(tx, { namespace: NAMESPACE, key: 'chat', now: NOW + 1 }),
      );
      expect(archived.archivedAt).to.equal(NOW + 1);
      const [first] = await listFeatures(database, NAMESPACE, { limit: 1 });
      const rest = await listFeatures(database, NAMESPACE, { limit: 5, after: first!.key });
      expect([first, ...rest].map((each) => each?.key)).to.deep.equal(['chat', 'sso']);
      const none = run(database, (tx) => archiveFeature(tx, { namespace: NAMESPACE, key: 'none', now: NOW }));
      expect(await codeOf(none)).to.equal('feature_not_found');
    });

    test('have a meter that counts, and keep it', async (database) => {
      expect(await codeOf(feature(database, { key: 'chat', meter: 'tokens' }))).to.equal('meter_not_found');
      await put(database);
      await put(database, 'v1', 'other');
      await feature(database, { key: 'chat', meter: 'tokens' });
      expect(await codeOf(feature(database, { key: 'chat', meter: 'other' }))).to.equal(
        'feature_meter_fixed',
      );
      expect(await codeOf(feature(database, { key: 'chat', meter: null }))).to.equal('feature_meter_fixed');
      await archive(database, 'other');
      expect(await codeOf(feature(database, { key: 'more', meter: 'other' }))).to.equal('meter_not_found');
    });

    test('keep their meter from being archived while they are in use', async (database) => {
      await put(database);
      await feature(database, { key: 'chat', meter: 'tokens' });
      expect(await codeOf(archive(database))).to.equal('meter_in_use');
      await run(database, (tx) => archiveFeature(tx, { namespace: NAMESPACE, key: 'chat', now: NOW }));
      await archive(database);
    });

    test('name everything that is wrong with them at once', async (database) => {
      const error = await rejectionOf(feature(database, { key: 'No', name: '', meter: 'Bad', unit: '\n' }));
      expect(
        (error as CatalogueError).violations.map(({ pointer, code }) => `${pointer} ${code}`),
      ).to.deep.equal([' invalid_key', '/name empty', '/meter invalid_key', '/unit unprintable']);
    });
  });
});
