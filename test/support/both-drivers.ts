import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import type { Database } from '#infra/database/database.ts';
import type { Table } from '#infra/database/table.ts';
import type { OpenedDatabase } from '#test/contract/database/support.ts';
import { openTemporary } from '#test/infra/database/sqlite/temporary.ts';
import { seededRandom } from './seeded-random.ts';
import { SIMULATION_START } from './simulation.ts';

type Open = (tables: readonly Table<object>[]) => Promise<Pick<OpenedDatabase, 'database' | 'close'>>;

const openIdle: Open = async (tables) => {
  const database = openHostile({ tables, schedule: idleSchedule(), faults: noFaults });
  return { database, close: () => database.close() };
};

let drivers: Readonly<Record<string, Open>> = { embedded: openTemporary, hostile: openIdle };

/**
 * Declares the same tests for the embedded and for the hostile driver, each test with a database of its own that is empty. What the rules
 * say must not hang on how a store orders, scans or fills in.
 */
export function onBothDrivers(
  tables: readonly Table<object>[],
  declare: (test: (name: string, body: (database: Database) => Promise<void>) => void) => void,
): void {
  for (const [driver, open] of Object.entries(drivers)) {
    context(`on the ${driver} driver`, () => {
      declare((name, body) => {
        it(name, async () => {
          const { database, close } = await open(tables);
          try {
            await body(database);
          } finally {
            await close();
          }
        });
      });
    });
  }
}

/** The same for tests that make more of a database than one: how to open an empty one, by the name of its driver. */
export const eachDriver = (): Readonly<Record<string, Open>> => drivers;

/** Has what is declared from here on run on one driver instead, such as one that needs an emulator. */
export function onAnotherDriver(driver: string, open: Open): void {
  drivers = { [driver]: open };
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
