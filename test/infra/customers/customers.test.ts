import { expect } from 'chai';
import { floorToMinute, MICROS_PER_DAY, MICROS_PER_HOUR } from '#domain/instant.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { archiveCustomer } from '#infra/customers/archive-customer.ts';
import type { CustomerDefinition } from '#infra/customers/customer-definition.ts';
import { CustomerError } from '#infra/customers/errors.ts';
import { moveSubject } from '#infra/customers/move-subject.ts';
import { subjectsOfCustomer } from '#infra/customers/own-subjects.ts';
import { patchCustomer, putCustomer, type SavedCustomer } from '#infra/customers/put-customer.ts';
import { getCustomer, listCustomers } from '#infra/customers/read-customers.ts';
import { CUSTOMER_TABLES, customerSubject } from '#infra/customers/tables.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { StoreError } from '#infra/database/errors.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile, type HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { SUBSCRIPTION_TABLES } from '#infra/subscriptions/tables.ts';
import { subject, USAGE_TABLES } from '#infra/usage/tables.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START, simulateSeeds } from '#test/support/simulation.ts';

const TABLES = [
  ...CATALOGUE_TABLES,
  ...CUSTOMER_TABLES,
  ...ENTITLEMENT_TABLES,
  ...SUBSCRIPTION_TABLES,
  ...USAGE_TABLES,
];
const NAMESPACE = 'default';
const NOW = floorToMinute(SIMULATION_START);
const LATER = NOW + MICROS_PER_DAY;

const run = async <Result>(database: Database, work: (tx: Transaction) => Promise<Result>): Promise<Result> =>
  (await database.transact(work)).result;

const put = (
  database: Database,
  key: string,
  said: Partial<CustomerDefinition> = {},
  now = NOW,
): Promise<SavedCustomer> =>
  run(database, (tx) =>
    putCustomer(tx, { namespace: NAMESPACE, key, customer: { name: key, ...said }, now }),
  );
const move = (database: Database, name: string, to: string | null, from: number, now = NOW) =>
  run(database, (tx) => moveSubject(tx, { namespace: NAMESPACE, subject: name, to, from, now }));
const archive = (database: Database, key: string, now = NOW) =>
  run(database, (tx) => archiveCustomer(tx, { namespace: NAMESPACE, key, now }));
const get = (database: Database, key: string, now = NOW) =>
  getCustomer(database, { namespace: NAMESPACE, key, now });

async function refused(promise: Promise<unknown>): Promise<CustomerError> {
  const error = await rejectionOf(promise);
  expect(error).to.be.instanceOf(CustomerError);
  return error as CustomerError;
}

describe('customers', () => {
  onBothDrivers(TABLES, (test) => {
    test('are saved whole, and saving one again as it is changes nothing', async (database) => {
      const said = {
        subjects: ['b', 'a', 'Zürich/7'],
        timezone: 'europe/berlin',
        currency: 'EUR',
        email: 'billing@acme.example',
        metadata: { tier: 'gold', note: '' },
      };
      const saved = await put(database, 'acme', said);
      expect(saved.change).to.equal('created');
      expect(saved.customer).to.deep.include({ timezone: 'Europe/Berlin', parent: null, createdAt: NOW });
      const again = await put(database, 'acme', { ...said, metadata: { note: '', tier: 'gold' } }, LATER);
      expect(again).to.deep.include({ change: 'unchanged' });
      expect(again.customer.updatedAt).to.equal(NOW);
      const { change, customer } = await put(database, 'acme', { name: 'Acme' }, LATER);
      expect(change).to.equal('updated');
      expect(customer).to.deep.include({ name: 'Acme', timezone: 'UTC', subjects: [], createdAt: NOW });
      expect(await get(database, 'acme', LATER)).to.deep.equal(customer);
      expect(await get(database, 'nobody')).to.equal(undefined);
    });

    test('name everything that is wrong with them at once', async (database) => {
      const { code, violations } = await refused(
        put(database, 'bad\u0000', {
          name: '',
          subjects: ['a', 'a', '..', ''],
          parent: '.',
          timezone: 'Mars/Olympus',
          currency: 'euro',
          email: 'nobody',
          metadata: { 'a/b': 'x\n', '': 'y' },
        }),
      );
      expect(code).to.equal('invalid_customer');
      expect(violations.map((each) => `${each.pointer} ${each.code}`)).to.deep.equal([
        ' unprintable',
        '/name empty',
        '/subjects/1 duplicate',
        '/subjects/2 invalid_name',
        '/subjects/3 empty',
        '/parent invalid_name',
        '/timezone unknown_time_zone',
        '/currency unknown_currency',
        '/email invalid_email',
        '/metadata/a~1b unprintable',
        '/metadata/ empty',
      ]);
      const subjects = Array.from({ length: 1_001 }, (_, each) => `s-${each}`);
      expect((await refused(put(database, 'acme', { subjects }))).violations[0]?.code).to.equal(
        'too_many_subjects',
      );
    });

    test('own a new subject from the beginning, and its past after they gave it up', async (database) => {
      await put(database, 'acme', { subjects: ['s'] });
      await put(database, 'acme', { subjects: [] }, LATER);
      expect(await subjectsOfCustomer(database, NAMESPACE, 'acme')).to.deep.equal([
        { subject: 's', intervals: [{ from: 0, to: LATER }] },
      ]);
      await put(database, 'globex', { subjects: ['s'] }, LATER + MICROS_PER_HOUR);
      expect(await subjectsOfCustomer(database, NAMESPACE, 'globex')).to.deep.equal([
        { subject: 's', intervals: [{ from: LATER + MICROS_PER_HOUR, to: null }] },
      ]);
      expect((await get(database, 'acme', LATER))?.subjects).to.deep.equal([]);
    });

    test('are refused subjects of others, each named, and nothing of the request is saved', async (database) => {
      await put(database, 'acme', { subjects: ['a', 'b'] });
      const error = await refused(put(database, 'globex', { subjects: ['new', 'b', 'a'] }));
      expect(error.code).to.equal('subject_taken');
      expect(error.violations.map(({ pointer }) => pointer)).to.deep.equal(['/subjects/1', '/subjects/2']);
      expect(await get(database, 'globex')).to.equal(undefined);
      expect(await subjectsOfCustomer(database, NAMESPACE, 'globex')).to.deep.equal([]);
      await run(database, (tx) =>
        putCustomer(tx, {
          namespace: 'other',
          key: 'globex',
          customer: { name: 'g', subjects: ['a'] },
          now: NOW,
        }),
      );
    });

    test('get a subject of another by a move with a date, past or to come, from its minute on', async (database) => {
      await put(database, 'acme', { subjects: ['s'] });
      await put(database, 'globex');
      const planned = await move(database, 's', 'globex', LATER + 59_000_000);
      expect(planned.intervals).to.deep.equal([
        { from: 0, customer: 'acme' },
        { from: LATER, customer: 'globex' },
      ]);
      expect((await get(database, 'acme'))?.subjects).to.deep.equal(['s']);
      expect((await get(database, 'globex', LATER))?.subjects).to.deep.equal(['s']);
      // What is planned for it is a claim too: it is not free for a third one, and saving its owner again leaves the plan alone.
      await put(database, 'acme', { name: 'Acme', subjects: ['s'] });
      expect(await subjectsOfCustomer(database, NAMESPACE, 'globex')).to.have.length(1);
      await put(database, 'acme', { subjects: [] });
      expect((await refused(put(database, 'initech', { subjects: ['s'] }))).code).to.equal('subject_taken');
      const { intervals } = await move(database, 's', 'globex', NOW - MICROS_PER_DAY);
      expect(intervals).to.deep.equal([
        { from: 0, customer: 'acme' },
        { from: NOW - MICROS_PER_DAY, customer: 'globex' },
      ]);
      expect((await move(database, 's', null, 0)).intervals).to.deep.equal([]);
      expect(await subjectsOfCustomer(database, NAMESPACE, 'acme')).to.deep.equal([]);
    });

    test('keep the index by customer the same as what the subjects say', async (database) => {
      await put(database, 'a', { subjects: ['x', 'y', 'z'] });
      await put(database, 'b', { subjects: ['u'] });
      await move(database, 'x', 'b', LATER);
      await move(database, 'y', 'b', 0);
      await put(database, 'a', { subjects: ['x'] });
      await archive(database, 'b');
      await expectIndex(database);
      expect(await subjectsOfCustomer(database, NAMESPACE, 'b')).to.deep.equal([
        { subject: 'u', intervals: [{ from: 0, to: NOW }] },
        { subject: 'y', intervals: [{ from: 0, to: NOW }] },
      ]);
    });

    test('take no move to nobody known, nor to a date out of reach', async (database) => {
      await put(database, 'acme');
      expect((await refused(move(database, 's', 'nobody', NOW))).code).to.equal('customer_not_found');
      for (const from of [-1, 1.5, NOW + 400 * MICROS_PER_DAY])
        expect((await refused(move(database, 's', 'acme', from))).code).to.equal('invalid_customer');
      expect((await refused(move(database, '..', 'acme', NOW))).code).to.equal('invalid_customer');
      await archive(database, 'acme');
      expect((await refused(move(database, 's', 'acme', NOW))).code).to.equal('customer_archived');
    });

    test('have at most 1,000 subjects, those that are planned for them included', async (database) => {
      const subjects = Array.from({ length: 1_000 }, (_, each) => `s-${each}`);
      await put(database, 'full', { subjects });
      expect((await refused(move(database, 'one-more', 'full', LATER))).code).to.equal('too_many_subjects');
      await put(database, 'full', { subjects: subjects.slice(1) });
      await move(database, 'one-more', 'full', LATER);
      expect((await refused(put(database, 'full', { subjects }))).code).to.equal('too_many_subjects');
    });

    test('let a subject change hands a hundred times and no more', async (database) => {
      await put(database, 'a', { subjects: ['s'] });
      await put(database, 'b');
      for (let moves = 1; moves < 100; moves++)
        await move(database, 's', moves % 2 === 0 ? 'a' : 'b', NOW + moves * MICROS_PER_HOUR);
      const last = NOW + 100 * MICROS_PER_HOUR;
      expect((await refused(move(database, 's', 'a', last))).code).to.equal('too_many_moves');
    });

    test('have parents that exist, in a tree of at most five levels without cycles', async (database) => {
      expect((await refused(put(database, 'l1', { parent: 'l0' }))).code).to.equal('parent_not_found');
      expect((await refused(put(database, 'l1', { parent: 'l1' }))).code).to.equal('parent_cycle');
      await put(database, 'l1');
      for (let level = 2; level <= 5; level++) await put(database, `l${level}`, { parent: `l${level - 1}` });
      expect((await refused(put(database, 'l6', { parent: 'l5' }))).code).to.equal('too_many_levels');
      expect((await refused(put(database, 'l1', { parent: 'l4' }))).code).to.equal('parent_cycle');
      await put(database, 'top');
      const error = await refused(put(database, 'l1', { parent: 'top' }));
      expect([error.code, error.violations[0]?.pointer]).to.deep.equal(['too_many_levels', '/parent']);
      await put(database, 'l3', { parent: 'top' });
      await put(database, 'l1', { parent: 'l4' });
    });

    test('are archived once no child lives, free their subjects, and come back when they are saved', async (database) => {
      await put(database, 'parent', { subjects: ['s'] });
      await put(database, 'child', { parent: 'parent' });
      expect((await refused(archive(database, 'parent'))).code).to.equal('customer_has_children');
      await archive(database, 'child');
      const archived = await archive(database, 'parent', LATER);
      expect(archived.archivedAt).to.equal(LATER);
      expect(await archive(database, 'parent', LATER + 1)).to.deep.equal(archived);
      expect((await refused(put(database, 'child', { parent: 'parent' }))).code).to.equal('parent_not_found');
      await put(database, 'other', { subjects: ['s'] }, LATER);
      const patched = run(database, (tx) =>
        patchCustomer(tx, { namespace: NAMESPACE, key: 'parent', customer: { name: 'P' }, now: LATER }),
      );
      expect((await refused(patched)).code).to.equal('customer_archived');
      const { customer, change } = await put(database, 'parent', {}, LATER);
      expect([change, customer.archivedAt]).to.deep.equal(['updated', null]);
      expect((await refused(archive(database, 'nobody'))).code).to.equal('customer_not_found');
    });

    test('are listed by key, by pages', async (database) => {
      for (const key of ['b', 'a', 'Zürich', '大阪', 'c']) await put(database, key);
      const first = await listCustomers(database, NAMESPACE, { limit: 2 });
      const rest = await listCustomers(database, NAMESPACE, { limit: 9, after: first.at(-1)!.key });
      expect([...first, ...rest].map(({ key }) => key)).to.deep.equal(['Zürich', 'a', 'b', 'c', '大阪']);
    });
  });

  it('never both get a subject that they claim at the same moment', () =>
    simulateSeeds(60, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: commonFaults });
      const claims = await Promise.all(
        ['a', 'b', 'c'].map((key) =>
          sim.spawn(key, () => quietly(put(database, key, { subjects: ['s', `only-${key}`] }))),
        ),
      );
      await sim.sleep(1_000_000);
      expect(claims.filter((claimed) => claimed).length).to.be.at.most(1);
      await expectIndex(database);
    }));

  it('keep their index true while claims, moves and archivings race', () =>
    simulateSeeds(60, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: noFaults });
      for (const key of ['a', 'b', 'c']) await put(database, key, { subjects: [`only-${key}`] });
      database.setFaults(commonFaults);
      const tasks = Array.from({ length: 5 }, (_, task) =>
        sim.spawn(`task-${task}`, async () => {
          for (let change = 0; change < 3; change++) await quietly(anyChange(database, sim.draw));
        }),
      );
      await Promise.all(tasks);
      await sim.sleep(1_000_000);
      database.setFaults(noFaults);
      await expectIndex(database);
    }));

  it('never become each other’s parents at the same moment', () =>
    simulateSeeds(40, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: noFaults });
      for (const key of ['a', 'b', 'c']) await put(database, key);
      database.setFaults(commonFaults);
      const ring = [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
      ] as const;
      await Promise.all(
        ring.map(([key, parent]) => sim.spawn(key, () => quietly(put(database, key, { parent })))),
      );
      await sim.sleep(1_000_000);
      database.setFaults(noFaults);
      const rows = await listCustomers(database, NAMESPACE, { limit: 3 });
      expect(rows.filter(({ parent }) => parent === null)).not.to.deep.equal([]);
    }));
});

function anyChange(database: Database, draw: SeededRandom): Promise<unknown> {
  const key = draw.pick(['a', 'b', 'c']);
  const subjects = ['s', 't', `only-${key}`].filter(() => draw.chance(0.5));
  const from = NOW + (draw.below(5) - 2) * MICROS_PER_HOUR;
  switch (draw.below(3)) {
    case 0:
      return archive(database, key);
    case 1:
      return move(database, draw.pick(['s', 't', 'only-a']), draw.pick(['a', 'b', null]), from);
    default:
      return put(database, key, { subjects });
  }
}

/** Whether it was done for sure. Refusals and stores that fail are part of the race. */
async function quietly(promise: Promise<unknown>): Promise<boolean> {
  try {
    await promise;
    return true;
  } catch (error) {
    if (error instanceof CustomerError || error instanceof StoreError) return false;
    throw error;
  }
}

async function expectIndex(database: Database | HostileDatabase): Promise<void> {
  const said: string[] = [];
  for await (const row of database.scan(subject, { prefix: [NAMESPACE] }))
    for (const owner of new Set(row.customers.map(({ customer }) => customer)))
      if (owner !== null) said.push(`${owner} ${row.subject}`);
  const indexed: string[] = [];
  for await (const row of database.scan(customerSubject, { prefix: [NAMESPACE] }))
    indexed.push(`${row.customer} ${row.subject}`);
  expect(indexed.sort()).to.deep.equal(said.sort());
}
