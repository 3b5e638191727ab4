import { expect } from 'chai';
import type { Transaction } from '#infra/database/database.ts';
import { UnknownOutcome } from '#infra/database/errors.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { column, commitTime, commitTimestamp, defineTable } from '#infra/database/table.ts';
import { collect } from '#test/contract/database/support.ts';
import { simulateSeeds } from '#test/support/simulation.ts';
import type { Simulation } from '#test/support/simulation.ts';

const SEEDS = 1_500;
const CASE_SEEDS = 200;
const TASKS = 4;
const TRANSACTIONS_PER_TASK = 4;
const OPERATIONS_MAX = 5;
const KEYS = 4;
const HEAVY = { abort: 0.1, unknownOutcome: 0.15, delay: 0.3 };

const register = defineTable('register', {
  columns: { key: column('int64'), colour: column('int64'), value: column('string') },
  key: ['key'],
  indexes: { byColour: { columns: ['colour'] } },
});
type Register = (typeof register)['row'] & object;

/** Every transaction leaves its name, so that those whose answer was lost are known too. */
const done = defineTable('done', {
  columns: { name: column('string'), committedAt: commitTime() },
  key: ['name'],
});

interface Operation {
  readonly kind: 'read' | 'range' | 'colour' | 'upsert' | 'delete';
  readonly key: number;
  readonly colour: number;
}

/** A transaction and what its last run saw, which is the only run that may have been committed. */
interface Attempt {
  readonly name: string;
  readonly operations: readonly Operation[];
  seen: Register[][];
}

const drawOperation = ({ draw }: Simulation): Operation => ({
  kind: draw.pick(['read', 'read', 'range', 'colour', 'upsert', 'upsert', 'delete']),
  key: draw.below(KEYS),
  colour: draw.below(2),
});

const drawAttempt = (sim: Simulation, name: string): Attempt => ({
  name,
  operations: Array.from({ length: 1 + sim.draw.below(OPERATIONS_MAX) }, () => drawOperation(sim)),
  seen: [],
});

async function look(tx: Transaction, { kind, key, colour }: Operation): Promise<Register[]> {
  if (kind === 'read') return (await tx.read(register, [[key]])).filter((row) => row !== undefined);
  return kind === 'range'
    ? collect(tx.scan(register, { prefix: [], from: key }))
    : collect(tx.scan(register, { prefix: [colour] }, { index: 'byColour' }));
}

const isWrite = ({ kind }: Operation): boolean => kind === 'upsert' || kind === 'delete';

async function perform(tx: Transaction, attempt: Attempt): Promise<void> {
  attempt.seen = [];
  for (const operation of attempt.operations) {
    if (!isWrite(operation)) attempt.seen.push(await look(tx, operation));
    else if (operation.kind === 'delete') tx.delete(register, [operation.key]);
    else tx.upsert(register, { key: operation.key, colour: operation.colour, value: attempt.name });
  }
  tx.insert(done, { name: attempt.name, committedAt: commitTimestamp });
}

async function attemptAll(
  sim: Simulation,
  database: HostileDatabase,
  task: number,
  attempts: Attempt[],
): Promise<void> {
  for (let number = 0; number < TRANSACTIONS_PER_TASK; number++) {
    const attempt = drawAttempt(sim, `${task}.${number}`);
    attempts.push(attempt);
    try {
      await database.transact((tx) => perform(tx, attempt));
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
    }
  }
}

/** What the operation would have seen if everything before it had run alone. */
function lookInModel(model: ReadonlyMap<number, Register>, { kind, key, colour }: Operation): Register[] {
  const rows = [...model.values()].sort((a, b) => a.key - b.key);
  if (kind === 'colour') return rows.filter((row) => row.colour === colour);
  return rows.filter((row) => (kind === 'read' ? row.key === key : row.key >= key));
}

/** Runs one transaction after the other, in the order of their commits, and compares everything any of them saw. */
function replay(database: HostileDatabase, attempts: readonly Attempt[]): Map<number, Register> {
  const model = new Map<number, Register>();
  for (const { name } of database.rows(done).sort((a, b) => a.committedAt - b.committedAt)) {
    const attempt = attempts.find((candidate) => candidate.name === name)!;
    const reads = attempt.operations.filter((operation) => !isWrite(operation));
    expect(attempt.seen, name).to.deep.equal(reads.map((operation) => lookInModel(model, operation)));
    for (const { kind, key, colour } of attempt.operations) {
      if (kind === 'upsert') model.set(key, { key, colour, value: name });
      if (kind === 'delete') model.delete(key);
    }
  }
  return model;
}

const open = (sim: Simulation): HostileDatabase =>
  openHostile({ tables: [register, done], schedule: sim, faults: HEAVY });

/** Keeps on until an answer comes, like the callers in production. */
async function insist(database: HostileDatabase, work: (tx: Transaction) => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await database.transact(work);
      return;
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
    }
  }
}

describe('hostile database: serialisability', () => {
  it('every history is that of running the committed transactions one by one in commit order', async () => {
    const met = { commits: 0, conflicts: 0, aborts: 0, lostBefore: 0, lostAfter: 0, lostUntilLater: 0 };
    await simulateSeeds(SEEDS, async (sim) => {
      const database = open(sim);
      const attempts: Attempt[] = [];
      const tasks = Array.from({ length: TASKS }, (_, task) =>
        sim.spawn(`task ${task}`, () => attemptAll(sim, database, task, attempts)),
      );
      await Promise.all(tasks);
      expect(database.rows(register)).to.deep.equal(
        [...replay(database, attempts).values()].sort((a, b) => a.key - b.key),
      );
      const counts = database.counts();
      for (const kind of Object.keys(met) as (keyof typeof met)[]) met[kind] += counts[kind];
    });
    for (const [kind, times] of Object.entries(met)) expect(times, `${kind} were met`).to.be.above(SEEDS / 4);
  });

  it('loses no update, whichever answers are lost', async () => {
    let conflicts = 0;
    await simulateSeeds(CASE_SEEDS, async (sim) => {
      const database = open(sim);
      const add = (name: string) =>
        insist(database, async (tx) => {
          const [[counted], [already]] = await Promise.all([
            tx.read(register, [[1]]),
            tx.read(done, [[name]]),
          ]);
          if (already !== undefined) return;
          tx.upsert(register, { key: 1, colour: (counted?.colour ?? 0) + 1, value: name });
          tx.insert(done, { name, committedAt: commitTimestamp });
        });
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => sim.spawn(name, () => add(name))));
      expect(database.rows(register)[0]?.colour).to.equal(4);
      conflicts += database.counts().conflicts;
    });
    expect(conflicts).to.be.above(CASE_SEEDS / 4);
  });

  it('lets no two transactions each give up what the other relies on (write skew)', async () => {
    await simulateSeeds(CASE_SEEDS, async (sim) => {
      const database = open(sim);
      await insist(database, async (tx) =>
        [1, 2].forEach((key) => tx.upsert(register, { key, colour: 1, value: 'on duty' })),
      );
      const leave = (key: number) =>
        insist(database, async (tx) => {
          const rows = await tx.read(register, [[1], [2]]);
          if (rows.every((row) => row?.colour === 1)) tx.update(register, { key, colour: 0 });
        });
      await Promise.all([sim.spawn('one', () => leave(1)), sim.spawn('two', () => leave(2))]);
      expect(database.rows(register).filter(({ colour }) => colour === 1)).to.have.lengthOf(1);
    });
  });

  for (const [by, options] of [
    ['key', {}],
    ['index', { index: 'byColour' }],
  ] as const) {
    it(`lets no row appear in a range that a transaction found empty (phantom, by ${by})`, async () => {
      await simulateSeeds(CASE_SEEDS, async (sim) => {
        const database = open(sim);
        const takeIfFree = (key: number) =>
          insist(database, async (tx) => {
            const taken = await collect(tx.scan(register, { prefix: [], from: 0, to: 10 }, options));
            if (taken.length === 0) tx.insert(register, { key, colour: 3, value: 'taken' });
          });
        await Promise.all([1, 2, 3].map((key) => sim.spawn(`taker ${key}`, () => takeIfFree(key))));
        expect(database.rows(register)).to.have.lengthOf(1);
      });
    });
  }
});
