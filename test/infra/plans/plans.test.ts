import { expect } from 'chai';
import { floorToMinute, MICROS_PER_DAY } from '#domain/instant.ts';
import { VERSIONS_PER_PLAN_MAX } from '#domain/limits.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { archiveMeter } from '#infra/catalogue/archive-meter.ts';
import { CatalogueError } from '#infra/catalogue/errors.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES, meterVersion } from '#infra/catalogue/tables.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { StoreError } from '#infra/database/errors.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile, type HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { withoutWrites } from '#infra/database/without-writes.ts';
import { checkCompatibility } from '#infra/plans/check-compatibility.ts';
import { createVersion, replaceDraft } from '#infra/plans/drafts.ts';
import { PlanError } from '#infra/plans/errors.ts';
import { archiveVersion, publishVersion } from '#infra/plans/publish-version.ts';
import { archivePlan, putPlan } from '#infra/plans/put-plan.ts';
import {
  existingVersion,
  listPlans,
  listVersions,
  offeredVersion,
  readPlan,
  readPlanVersions,
} from '#infra/plans/read-plans.ts';
import { PLAN_TABLES, plan as planTable, planMeter, planVersion } from '#infra/plans/tables.ts';
import { SUBSCRIPTION_TABLES } from '#infra/subscriptions/tables.ts';
import { charging, definition, seatsCharge, tokensCharge } from '#test/domain/plans/plans.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START, simulateSeeds } from '#test/support/simulation.ts';

const TABLES = [...CATALOGUE_TABLES, ...PLAN_TABLES, ...SUBSCRIPTION_TABLES];
const NAMESPACE = 'default';
const NOW = floorToMinute(SIMULATION_START);
const LATER = NOW + MICROS_PER_DAY;
const PRO = { namespace: NAMESPACE, plan: 'pro' };
const ONLY_SEATS = charging([seatsCharge]);

const run = async <Result>(database: Database, work: (tx: Transaction) => Promise<Result>): Promise<Result> =>
  (await database.transact(work)).result;
const put = (database: Database, key = 'pro', now = NOW) =>
  run(database, (tx) => putPlan(tx, { namespace: NAMESPACE, key, name: key, now }));
const create = (database: Database, said: PlanVersionDefinition = ONLY_SEATS) =>
  run(database, (tx) => createVersion(tx, { ...PRO, definition: said, now: NOW }));
const replace = (database: Database, version: number, said: PlanVersionDefinition) =>
  run(database, (tx) => replaceDraft(tx, { ...PRO, version, definition: said, now: LATER }));
const publish = (database: Database, version = 1, now = NOW) =>
  run(database, (tx) => publishVersion(tx, { ...PRO, version, now }));
const archive = (database: Database, version = 1, now = NOW) =>
  run(database, (tx) => archiveVersion(tx, { ...PRO, version, now }));
const archiveAll = (database: Database) =>
  run(database, (tx) => archivePlan(tx, { namespace: NAMESPACE, key: 'pro', now: NOW }));
const offered = (database: Database, version?: number) =>
  offeredVersion(database, NAMESPACE, { plan: 'pro', version });
const states = async (database: Database): Promise<string> =>
  (await listVersions(database, PRO, { limit: 10 })).map(({ state }) => state).join(' ');
const meter = (database: Database, said: Partial<MeterDefinition> = {}, key = 'tokens') =>
  putMeter(database, {
    namespace: NAMESPACE,
    key,
    definition: { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'tokens', ...said },
  });

async function refused(promise: Promise<unknown>): Promise<PlanError> {
  const error = await rejectionOf(promise);
  expect(error).to.be.instanceOf(PlanError);
  return error as PlanError;
}
const codeOf = async (promise: Promise<unknown>): Promise<string> => (await refused(promise)).code;
const faultsOf = async (promise: Promise<unknown>): Promise<string[]> =>
  (await refused(promise)).violations.map(({ pointer, code }) => `${pointer} ${code}`);

describe('plans', () => {
  onBothDrivers(TABLES, (test) => {
    test('are saved, listed and archived, and saving one again as it is changes nothing', async (database) => {
      expect((await put(database)).change).to.equal('created');
      const again = await put(database, 'pro', LATER);
      expect(again.change).to.equal('unchanged');
      expect(again.plan.updatedAt).to.equal(NOW);
      await put(database, 'basic');
      await put(database, 'team');
      const keysOf = async (page: { after?: string; limit: number }): Promise<string[]> =>
        (await listPlans(database, NAMESPACE, page)).map(({ key }) => key);
      expect(await keysOf({ limit: 2 })).to.deep.equal(['basic', 'pro']);
      expect(await keysOf({ after: 'pro', limit: 2 })).to.deep.equal(['team']);
      await create(database);
      expect((await archiveAll(database)).archivedAt).to.equal(NOW);
      expect((await archiveAll(database)).archivedAt).to.equal(NOW);
      const back = await put(database, 'pro', LATER);
      expect(back.plan).to.deep.include({ archivedAt: null, newestVersion: 1, createdAt: NOW });
      expect(await listPlans(database, 'elsewhere', { limit: 9 })).to.deep.equal([]);
    });

    test('name everything that is wrong with them, or with a version, at once', async (database) => {
      const bad = { namespace: NAMESPACE, key: 'Pro!', name: '', now: NOW };
      expect(await faultsOf(run(database, (tx) => putPlan(tx, bad)))).to.deep.equal([
        ' invalid_key',
        '/name empty',
      ]);
      await put(database);
      const wrong = definition({ currencies: ['XXX1'], phases: [] });
      const faults = ['/currencies/0 unknown_currency', '/phases empty'];
      expect(await faultsOf(create(database, wrong))).to.deep.equal(faults);
      await create(database);
      expect(await faultsOf(replace(database, 1, wrong))).to.deep.equal(faults);
    });

    test('have versions that are numbered from 1, each a draft that can be written anew until it is published', async (database) => {
      await put(database);
      expect(await create(database)).to.deep.include({ version: 1, state: 'draft', publishedAt: null });
      expect((await create(database)).version).to.equal(2);
      const other = charging([{ ...seatsCharge, seats: '3' }]);
      await replace(database, 1, other);
      await publish(database, 1);
      const row = await existingVersion(database, NAMESPACE, { plan: 'pro', version: 1 });
      expect(row).to.deep.include({ definition: other, state: 'active', publishedAt: NOW, updatedAt: LATER });
      expect(await codeOf(replace(database, 1, ONLY_SEATS))).to.equal('plan_version_published');
      await archive(database, 2);
      expect(await codeOf(replace(database, 2, ONLY_SEATS))).to.equal('plan_version_archived');
      expect(await codeOf(publish(database, 2))).to.equal('plan_version_archived');
      expect(await states(database)).to.equal('active archived');
      expect(await codeOf(replace(database, 9, ONLY_SEATS))).to.equal('plan_version_not_found');
    });

    test('change nothing when a step is done twice', async (database) => {
      await put(database);
      await create(database);
      const published = await publish(database);
      expect(await publish(database, 1, LATER)).to.deep.equal(published);
      const archived = await archive(database);
      expect(await archive(database, 1, LATER)).to.deep.equal(archived);
    });

    test('offer the newest active version, or the one that is named', async (database) => {
      expect(await codeOf(offered(database))).to.equal('plan_not_found');
      await put(database);
      expect(await codeOf(offered(database))).to.equal('plan_version_not_active');
      for (const version of [1, 2, 3, 4]) {
        await create(database);
        if (version < 4) await publish(database, version);
      }
      const numberOf = async (version?: number): Promise<number> =>
        (await offered(database, version)).version;
      expect(await numberOf()).to.equal(3);
      expect(await numberOf(1)).to.equal(1);
      expect(await codeOf(offered(database, 4))).to.equal('plan_version_not_active');
      expect(await codeOf(offered(database, 5))).to.equal('plan_version_not_found');
      await archive(database, 3);
      expect(await numberOf()).to.equal(2);
      expect(await codeOf(offered(database, 3))).to.equal('plan_version_not_active');
      await archive(database, 1);
      expect(await numberOf()).to.equal(2);
      await archive(database, 2);
      expect(await codeOf(offered(database))).to.equal('plan_version_not_active');
      await publish(database, 4);
      expect(await numberOf()).to.equal(4);
      await archiveAll(database);
      expect(await codeOf(offered(database))).to.equal('plan_archived');
    });

    test('have no new versions and publish none while they are archived', async (database) => {
      expect(await codeOf(create(database))).to.equal('plan_not_found');
      await put(database);
      await create(database);
      await archiveAll(database);
      expect(await codeOf(create(database))).to.equal('plan_archived');
      expect(await codeOf(publish(database))).to.equal('plan_archived');
      await put(database);
      expect((await publish(database)).state).to.equal('active');
    });

    test('have a bounded number of versions', async (database) => {
      const { plan } = await put(database);
      await run(database, async (tx) =>
        tx.upsert(planTable, { ...plan, newestVersion: VERSIONS_PER_PLAN_MAX }),
      );
      expect(await codeOf(create(database))).to.equal('too_many_plan_versions');
    });

    test('are published only where every meter is there, counts, and tells what the prices ask', async (database) => {
      await put(database);
      await meter(database, { dimensions: { model: 'model' } });
      await meter(database, { aggregation: 'unique', value: 'user' }, 'users');
      await meter(database, {}, 'stopped');
      await run(database, (tx) => archiveMeter(tx, { namespace: NAMESPACE, key: 'stopped', now: NOW }));
      const matrix = { model: 'matrix', dimensions: ['model', 'region'], cells: [] } as const;
      await create(
        database,
        charging(
          [
            { ...tokensCharge, inCurrency: { EUR: { price: matrix } } },
            { ...tokensCharge, key: 'users', meter: 'users', price: { model: 'dynamic' } },
            { ...tokensCharge, key: 'gone', meter: 'gone', price: { model: 'dynamic' } },
            { ...tokensCharge, key: 'stopped', meter: 'stopped', price: { model: 'dynamic' } },
          ],
          { currencies: ['USD', 'EUR'] },
        ),
      );
      expect(await faultsOf(publish(database))).to.deep.equal([
        '/phases/0/charges/0/inCurrency/EUR/price/dimensions/1 unknown_dimension',
        '/phases/0/charges/1/price events_without_value',
        '/phases/0/charges/2/meter unknown_meter',
        '/phases/0/charges/3/meter unknown_meter',
      ]);
      expect(await states(database)).to.equal('draft');
    });

    test('keep their meters from being archived while a version of them is active', async (database) => {
      await put(database);
      await meter(database);
      await create(database, definition());
      await publish(database);
      const stop = () =>
        run(database, (tx) => archiveMeter(tx, { namespace: NAMESPACE, key: 'tokens', now: NOW }));
      const error = await rejectionOf(stop());
      expect(error).to.be.instanceOf(CatalogueError).with.property('code', 'meter_in_use');
      await archive(database);
      expect((await stop()).every(({ until }) => until !== null)).to.equal(true);
    });

    test('are read many versions at once, and paged through', async (database) => {
      await put(database);
      for (let count = 0; count < 3; count++) await create(database);
      const places = [3, 9, 1].map((version) => ({ plan: 'pro', version }));
      const read = await readPlanVersions(database, NAMESPACE, places);
      expect(read.map((each) => each?.version)).to.deep.equal([3, undefined, 1]);
      expect(read[0]).to.deep.equal({ ...ONLY_SEATS, plan: 'pro', version: 3, state: 'draft' });
      const second = await listVersions(database, PRO, { after: 1, limit: 1 });
      expect(second.map(({ version }) => version)).to.deep.equal([2]);
    });

    test('tell what a change between versions means in each currency, each thing once', async (database) => {
      await put(database);
      const inCurrency = { EUR: { price: seatsCharge.price } };
      await create(database, charging([{ ...seatsCharge, inCurrency }], { currencies: ['USD', 'EUR'] }));
      await create(database, charging([{ ...seatsCharge, cadence: 'P1Y' }], { currencies: ['USD'] }));
      await publish(database, 2);
      const [from, to] = [1, 2].map((version) => ({ plan: 'pro', version })) as [never, never];
      const all = await checkCompatibility(database, NAMESPACE, { from, to });
      expect(all.faults.map(({ code }) => code)).to.deep.equal(['currency_not_offered']);
      expect(all.notices.map(({ code }) => code)).to.deep.equal(['cadence_changes']);
      expect(
        (await checkCompatibility(database, NAMESPACE, { from, to, currency: 'USD' })).faults,
      ).to.deep.equal([]);
    });

    test('change nothing in a preview', async (database) => {
      await put(database);
      await create(database);
      const seen = await run(database, (tx) =>
        publishVersion(withoutWrites(tx), { ...PRO, version: 1, now: NOW }),
      );
      expect(seen.state).to.equal('active');
      expect(await states(database)).to.equal('draft');
      expect((await readPlan(database, NAMESPACE, 'pro'))?.activeVersion).to.equal(null);
    });
  });
});

/** Does a step again until its outcome is known: a caller does, who was told that a store failed. */
async function persist(step: () => Promise<unknown>): Promise<PlanError | CatalogueError | undefined> {
  for (;;) {
    try {
      await step();
      return undefined;
    } catch (error) {
      if (error instanceof PlanError || error instanceof CatalogueError) return error;
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

/** One of the things that people do at the same time. */
function anyStep(database: HostileDatabase, random: SeededRandom): () => Promise<unknown> {
  const version = 1 + random.below(3);
  const written = charging([{ ...tokensCharge, minimum: String(random.below(100)) }]);
  const steps = [
    () => publish(database, version, NOW + random.below(1_000)),
    () => publish(database, version, NOW + random.below(1_000)),
    () => replace(database, version, written),
    () => create(database, written),
    () => archive(database, version, NOW + random.below(1_000)),
    () => create(database, written),
    () => run(database, (tx) => archiveMeter(tx, { namespace: NAMESPACE, key: 'tokens', now: NOW })),
  ];
  return steps[random.below(steps.length)] ?? (() => Promise.resolve());
}

/** What was seen of a version once it was published must be what it is for ever. */
function watch(database: HostileDatabase, seen: Map<number, string>): void {
  const rows = database.rows(planVersion);
  for (const { version, state, definition: said, publishedAt } of rows) {
    if (publishedAt === null) continue;
    const text = JSON.stringify([said, publishedAt]);
    expect(text, `version ${version}, ${state}`).to.equal(seen.get(version) ?? text);
    seen.set(version, text);
  }
}

describe('plans when several change them at once', () => {
  it('have published versions that never change, numbers without a gap, and meters that count', () =>
    simulateSeeds(60, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: noFaults });
      await put(database);
      await meter(database);
      await create(database, definition());
      database.setFaults(commonFaults);
      const seen = new Map<number, string>();
      await Promise.all(
        Array.from({ length: 4 }, (_, who) =>
          sim.spawn(`person-${who}`, async () => {
            for (let count = 0; count < 5; count++) {
              await persist(anyStep(database, sim.draw));
              watch(database, seen);
            }
          }),
        ),
      );
      await sim.sleep(1_000_000);
      database.setFaults(noFaults);
      watch(database, seen);
      checkPlans(database);
    }));

  it('publish a draft once, whoever comes first', () =>
    simulateSeeds(40, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: noFaults });
      await put(database);
      await create(database);
      database.setFaults(commonFaults);
      await Promise.all(
        [1, 2, 3].map((who) =>
          sim.spawn(`publisher-${who}`, () => persist(() => publish(database, 1, NOW + who))),
        ),
      );
      await sim.sleep(1_000_000);
      database.setFaults(noFaults);
      const [row] = database.rows(planVersion);
      expect(row?.state).to.equal('active');
      expect(database.rows(planTable)[0]?.activeVersion).to.equal(1);
    }));
});

function checkPlans(database: HostileDatabase): void {
  const versions = database.rows(planVersion);
  const [{ newestVersion, activeVersion } = { newestVersion: 0, activeVersion: null }] =
    database.rows(planTable);
  expect(versions.map(({ version }) => version).sort((a, b) => a - b)).to.deep.equal(
    Array.from({ length: newestVersion }, (_, at) => at + 1),
  );
  const active = versions.filter(({ state }) => state === 'active').map(({ version }) => version);
  expect(activeVersion).to.equal(active.length === 0 ? null : Math.max(...active));
  const published = versions.filter(({ publishedAt }) => publishedAt !== null);
  expect(database.rows(planMeter).map(({ version }) => version)).to.have.members(
    published.map(({ version }) => version),
  );
  if (active.length > 0)
    expect(database.rows(meterVersion).some(({ until }) => until === null)).to.equal(true);
}
