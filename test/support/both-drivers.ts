import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import type { Database } from '#infra/database/database.ts';
import type { Table } from '#infra/database/table.ts';
import { openTemporary } from '#test/infra/database/sqlite/temporary.ts';
import { seededRandom } from './seeded-random.ts';
import { SIMULATION_START } from './simulation.ts';

/**
 * Declares the same tests for the embedded and for the hostile driver, each test with a database of its own that is empty. What the rules
 * say must not hang on how a store orders, scans or fills in.
 */
export function onBothDrivers(
  tables: readonly Table<object>[],
  declare: (test: (name: string, body: (database: Database) => Promise<void>) => void) => void,
): void {
  context('on the embedded driver', () => {
    declare((name, body) => {
      it(name, async () => {
        const { database, close } = await openTemporary(tables);
        try {
          await body(database);
        } finally {
          await close();
        }
      });
    });
  });
  context('on the hostile driver', () => {
    declare((name, body) => {
      it(name, () => body(openHostile({ tables, schedule: idleSchedule(), faults: noFaults })));
    });
  });
}

const idleSchedule = () => ({
  point: () => Promise.resolve(),
  random: seededRandom(1).next,
  now: () => SIMULATION_START,
});

/** What a promise was rejected with; undefined when it was not. */
export const rejectionOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
