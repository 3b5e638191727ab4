import { expect } from 'chai';
import type { ScanOptions } from '#infra/database/database.ts';
import {
  AlreadyExists,
  NotFound,
  RefusedValue,
  StoreFailure,
  UnknownOutcome,
} from '#infra/database/errors.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import type { Faults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import {
  column,
  commitTime,
  commitTimestamp,
  defineTable,
  jsonColumn,
  nullable,
} from '#infra/database/table.ts';
import type { KeyRange } from '#infra/database/table.ts';
import { collect } from '#test/contract/database/support.ts';
import { simulate, simulateSeeds } from '#test/support/simulation.ts';
import type { Simulation } from '#test/support/simulation.ts';

const thing = defineTable('thing', {
  columns: {
    name: column('string'),
    hash: column('hash'),
    count: column('int64'),
    flag: column('bool'),
    bytes: column('bytes'),
    document: jsonColumn<{ tags: string[] }>(),
    note: nullable('string'),
    changedAt: commitTime(),
  },
  key: ['name'],
  indexes: { byHash: { columns: ['hash'], unique: true } },
});
type Thing = (typeof thing)['row'] & object;

const hashOf = (name: string): string => name.padEnd(16, '\u00ff');

const thingNamed = (name: string, changes: Partial<Thing> = {}): Thing => ({
  name,
  hash: hashOf(name),
  count: 1,
  flag: true,
  bytes: new Uint8Array([1, 2]),
  document: { tags: ['a'] },
  note: null,
  changedAt: commitTimestamp,
  ...changes,
});

const open = (sim: Simulation, faults: Faults = noFaults): HostileDatabase =>
  openHostile({ tables: [thing], schedule: sim, faults });

const calmly = (body: (database: HostileDatabase, sim: Simulation) => Promise<void>): Promise<void> =>
  simulate(1, (sim) => body(open(sim), sim));

const insert = (database: HostileDatabase, row: Thing) =>
  database.transact(async (tx) => tx.insert(thing, row));

/** What the promise was rejected with. */
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  );

describe('hostile database: the port', () => {
  it('commit times rise strictly and stand where commitTimestamp stood', () =>
    calmly(async (database) => {
      const first = await insert(database, thingNamed('a'));
      const second = await insert(database, thingNamed('b'));
      expect(second.committedAt).to.be.above(first.committedAt);
      expect(database.rows(thing).map(({ changedAt }) => changedAt)).to.deep.equal([
        first.committedAt,
        second.committedAt,
      ]);
    }));

  it('a snapshot shows the state as of a commit, whatever was committed since', () =>
    calmly(async (database) => {
      const { committedAt: at } = await insert(database, thingNamed('a'));
      await database.transact(async (tx) => {
        tx.update(thing, { name: 'a', count: 2 });
        tx.insert(thing, thingNamed('b'));
      });
      const [before] = await database.read(thing, [['a']], { at });
      expect(before?.count).to.equal(1);
      expect(await database.read(thing, [['a']], { at: at - 1 })).to.deep.equal([undefined]);
      expect(await collect(database.scan(thing, { prefix: [] }, { at }))).to.have.lengthOf(1);
      expect((await database.read(thing, [['a']]))[0]?.count).to.equal(2);
    }));

  it('no commit gets in before a snapshot that was already read', () =>
    calmly(async (database, sim) => {
      const at = sim.now();
      await database.read(thing, [['a']], { at });
      const { committedAt } = await insert(database, thingNamed('a'));
      expect(committedAt).to.be.above(at);
      expect(
        await errorOf(database.read(thing, [['a']], { at: sim.now() + 3_600_000_000 })),
      ).to.be.instanceOf(StoreFailure);
    }));

  it('a transaction does not see its own writes, and applies them in their order', () =>
    calmly(async (database) => {
      await insert(database, thingNamed('a'));
      await database.transact(async (tx) => {
        tx.delete(thing, ['a']);
        expect(await tx.read(thing, [['a'], ['b']])).to.have.nested.property('[0].name', 'a');
        tx.insert(thing, thingNamed('a', { count: 7 }));
        tx.update(thing, { name: 'a', note: 'again' });
      });
      expect(database.rows(thing)).to.have.lengthOf(1);
      expect(database.rows(thing)[0]).to.include({ count: 7, note: 'again' });
    }));

  it('a taken key, a taken unique index entry and a missing row fail the commit as a whole', () =>
    calmly(async (database) => {
      await insert(database, thingNamed('a'));
      const before = database.rows(thing);
      const attempts = [
        [thingNamed('a'), AlreadyExists],
        [thingNamed('c', { hash: hashOf('a') }), AlreadyExists],
      ] as const;
      for (const [row, kind] of attempts) {
        const error = await errorOf(
          database.transact(async (tx) => {
            tx.upsert(thing, thingNamed('b'));
            tx.insert(thing, row);
          }),
        );
        expect(error).to.be.instanceOf(kind);
      }
      const missing = database.transact(async (tx) => tx.update(thing, { name: 'z', count: 1 }));
      expect(await errorOf(missing)).to.be.instanceOf(NotFound);
      expect(database.rows(thing)).to.deep.equal(before);
    }));

  it('rows may swap the entries of a unique index in one commit', () =>
    calmly(async (database) => {
      await insert(database, thingNamed('a'));
      await insert(database, thingNamed('b'));
      await database.transact(async (tx) => {
        tx.update(thing, { name: 'a', hash: hashOf('b') });
        tx.update(thing, { name: 'b', hash: hashOf('a') });
      });
      expect(database.rows(thing).map(({ hash }) => hash)).to.deep.equal([hashOf('b'), hashOf('a')]);
    }));

  it('scans go in key order of code points, by range, reverse and limit', () =>
    calmly(async (database) => {
      const names = ['', 'a', 'ab', 'b', '\uffee', '\u{1f600}'];
      for (const [i, name] of names.toReversed().entries()) {
        await insert(database, thingNamed(name, { hash: hashOf(String(i)) }));
      }
      const scan = async (range: KeyRange, options: ScanOptions = {}) =>
        (await collect(database.scan(thing, range, options))).map(({ name }) => name);
      expect(await scan({ prefix: [] })).to.deep.equal(names);
      expect(await scan({ prefix: [], from: 'a', to: 'b' })).to.deep.equal(['a', 'ab']);
      expect(await scan({ prefix: [] }, { reverse: true, limit: 2 })).to.deep.equal(['\u{1f600}', '\uffee']);
      expect(await scan({ prefix: ['ab'] })).to.deep.equal(['ab']);
      expect(await scan({ prefix: [] }, { index: 'byHash' })).to.deep.equal(names.toReversed());
    }));
});

describe('hostile database: strictness', () => {
  it('rows are copies on the way in and on the way out', () =>
    calmly(async (database) => {
      const row = thingNamed('a');
      await database.transact(async (tx) => {
        tx.insert(thing, row);
        row.bytes[0] = 9;
        row.document.tags.push('b');
      });
      const [read] = await database.read(thing, [['a']]);
      read!.bytes[0] = 8;
      read!.document.tags.push('c');
      expect(database.rows(thing)[0]).to.deep.include({
        bytes: new Uint8Array([1, 2]),
        document: { tags: ['a'] },
      });
    }));

  const wrong: readonly [string, Record<string, unknown>, typeof RefusedValue | typeof StoreFailure][] = [
    ['a number that is not a safe integer', { count: 2 ** 53 }, RefusedValue],
    ['a fraction', { count: 0.5 }, RefusedValue],
    ['a bigint', { count: 1n }, RefusedValue],
    ['a hash of 15 characters', { hash: 'x'.repeat(15) }, RefusedValue],
    ['a hash with a character above 255', { hash: '\u0100'.repeat(16) }, RefusedValue],
    ['half a surrogate pair', { note: '\ud800' }, RefusedValue],
    ['null where it is not allowed', { flag: null }, RefusedValue],
    ['undefined', { note: undefined }, RefusedValue],
    ['a number for bytes', { bytes: [1] }, RefusedValue],
    ['undefined inside JSON', { document: { tags: undefined } }, RefusedValue],
    ['a Map inside JSON', { document: new Map() }, RefusedValue],
    ['NaN inside JSON', { document: [NaN] }, RefusedValue],
    ['a column that is not declared', { other: 1 }, StoreFailure],
  ];
  for (const [what, changes, kind] of wrong) {
    it(`refuses ${what}`, () =>
      calmly(async (database) => {
        const row = thingNamed('a', changes);
        expect(await errorOf(insert(database, row))).to.be.instanceOf(kind);
        expect(database.rows(thing)).to.be.empty;
      }));
  }

  it('refuses a missing column, a short key and an unknown index', () =>
    calmly(async (database) => {
      const { note: _, ...short } = thingNamed('a');
      expect(await errorOf(insert(database, short as Thing))).to.be.instanceOf(StoreFailure);
      expect(await errorOf(database.read(thing, [[]]))).to.be.instanceOf(StoreFailure);
      const scan = database.scan(thing, { prefix: [] }, { index: 'none' });
      expect(await errorOf(collect(scan))).to.be.instanceOf(StoreFailure);
    }));

  it('refuses what work does after its own end', () =>
    calmly(async (database) => {
      const { result: tx } = await database.transact(async (open) => open);
      expect(() => tx.delete(thing, ['a'])).to.throw(StoreFailure, 'over');
      expect(await errorOf(tx.read(thing, [['a']]))).to.be.instanceOf(StoreFailure);
    }));

  it('a closed database does nothing any more', () =>
    calmly(async (database) => {
      await database.close();
      expect(await errorOf(insert(database, thingNamed('a')))).to.be.instanceOf(StoreFailure);
    }));
});

describe('hostile database: faults', () => {
  it('an error of the work ends the transaction without a trace', () =>
    calmly(async (database) => {
      const boom = new Error('boom');
      const attempt = database.transact(async (tx) => {
        tx.insert(thing, thingNamed('a'));
        throw boom;
      });
      expect(await errorOf(attempt)).to.equal(boom);
      expect(database.rows(thing)).to.be.empty;
    }));

  it('an aborted run is repeated even if the work swallows the error of its read', () =>
    simulateSeeds(50, async (sim) => {
      const database = open(sim, { ...noFaults, abort: 0.5 });
      let runs = 0;
      const { result } = await database.transact(async (tx) => {
        runs++;
        const read = await tx.read(thing, [['a']]).catch(() => 'cut short');
        if (read === 'cut short') throw new Error('the work makes something of it');
        return read;
      });
      expect(result).to.deep.equal([undefined]);
      expect(runs).to.be.at.most(database.counts().aborts + 1);
    }));

  it('a commit whose answer is lost may have been applied, may never be, or may be applied later', async () => {
    const fates = new Set<string>();
    await simulateSeeds(100, async (sim) => {
      const database = open(sim, { ...noFaults, unknownOutcome: 1 });
      expect(await errorOf(insert(database, thingNamed('a')))).to.be.instanceOf(UnknownOutcome);
      const atOnce = database.rows(thing).length;
      await sim.sleep(1_000_000);
      fates.add(`${atOnce} ${database.rows(thing).length}`);
    });
    expect([...fates].sort()).to.deep.equal(['0 0', '0 1', '1 1']);
  });

  it('a commit that arrives late does not undo what was done since it read', () =>
    simulateSeeds(200, async (sim) => {
      const database = open(sim, { ...commonFaults, unknownOutcome: 0.5 });
      const create = (): Promise<unknown> =>
        database
          .transact(async (tx) => {
            const [row] = await tx.read(thing, [['a']]);
            if (row === undefined) tx.upsert(thing, thingNamed('a'));
          })
          .catch((error: unknown) =>
            error instanceof UnknownOutcome ? create() : Promise.reject(error as Error),
          );
      await create();
      database.setFaults(noFaults);
      await database.transact(async (tx) => tx.update(thing, { name: 'a', count: 2 }));
      await sim.sleep(1_000_000);
      expect(database.rows(thing).map(({ count }) => count)).to.deep.equal([2]);
    }));

  it('refuses the one value the test names, and nothing of that commit is stored', () =>
    simulate(1, async (sim) => {
      const database = open(sim, {
        ...noFaults,
        refuse: (row, table) => table === 'thing' && (row as Thing).name === 'bad',
      });
      const batch = (names: readonly string[]) =>
        database.transact(async (tx) => names.forEach((name) => tx.insert(thing, thingNamed(name))));
      expect(await errorOf(batch(['a', 'bad', 'c']))).to.be.instanceOf(RefusedValue);
      expect(database.rows(thing)).to.be.empty;
      await batch(['a', 'c']);
      expect(database.counts()).to.include({ commits: 1, refusals: 1 });
    }));

  it('an outage fails everything and ends by the clock', () =>
    calmly(async (database, sim) => {
      database.failFor(1_000_000);
      expect(await errorOf(database.read(thing, [['a']]))).to.be.instanceOf(StoreFailure);
      expect(await errorOf(insert(database, thingNamed('a')))).to.be.instanceOf(StoreFailure);
      await sim.sleep(1_000_000);
      await insert(database, thingNamed('a'));
      expect(database.rows(thing)).to.have.lengthOf(1);
    }));

  it('the seed brings outages about, too, and they pass', () =>
    simulateSeeds(50, async (sim) => {
      const database = open(sim, { ...noFaults, outage: 0.3 });
      for (let stored = 0; stored < 3;) {
        try {
          await insert(database, thingNamed(String(stored)));
          stored++;
        } catch (error) {
          expect(error).to.be.instanceOf(StoreFailure);
          await sim.sleep(1_000_000);
        }
      }
      expect(database.rows(thing)).to.have.lengthOf(3);
    }));

  it('the same seed gives the same history, step by step', async () => {
    const historyOf = (seed: number) =>
      simulate(seed, async (sim) => {
        const database = open(sim, commonFaults);
        const write = (name: string) => insert(database, thingNamed(name)).catch(() => undefined);
        await Promise.all(['a', 'b', 'c', 'a'].map((name, i) => sim.spawn(`${i}`, () => write(name))));
        return { trace: sim.trace(), rows: database.rows(thing) };
      });
    for (let seed = 1; seed <= 20; seed++) expect(await historyOf(seed)).to.deep.equal(await historyOf(seed));
    expect((await historyOf(1)).trace).not.to.deep.equal((await historyOf(2)).trace);
  });
});
