import { mutationsOf, type CountedWrite } from '#infra/database/mutation-count.ts';
import type { Database, Transaction } from '#infra/database/database.ts';

/** What transactions did. Of a transaction that ran again only the run that was committed counts. */
export interface WorkCounts {
  commits: number;
  rows: number;
  /** As Spanner counts them. */
  mutations: number;
  /** Of the largest commit. */
  mutationsMax: number;
  /** Keys asked for, and rows that scans gave. */
  reads: number;
  /** Round trips of reads, one after the other: what is asked for side by side is one. */
  trips: number;
  /** Of the commit that took the most. */
  tripsMax: number;
}

export const noCounts = (): WorkCounts => ({
  ...{ commits: 0, rows: 0, mutations: 0, mutationsMax: 0 },
  ...{ reads: 0, trips: 0, tripsMax: 0 },
});

/** Counts what transactions read and write, on its way into the database and out of it. */
export function countWork(database: Database): { database: Database; counts: WorkCounts } {
  const counts = noCounts();
  return {
    counts,
    database: {
      ...database,
      transact: async (work) => {
        let run = noWork();
        const committed = await database.transact((tx) => {
          run = noWork();
          return work(counting(tx, run));
        });
        counts.commits++;
        counts.rows += run.rows;
        counts.mutations += run.mutations;
        counts.mutationsMax = Math.max(counts.mutationsMax, run.mutations);
        counts.reads += run.reads;
        counts.trips += run.trips;
        counts.tripsMax = Math.max(counts.tripsMax, run.trips);
        return committed;
      },
    },
  };
}

interface Run {
  rows: number;
  mutations: number;
  reads: number;
  /** The longest chain of reads that waited for each other. */
  trips: number;
  /** Of the reads that have been answered. */
  answered: number;
}

const noWork = (): Run => ({ rows: 0, mutations: 0, reads: 0, trips: 0, answered: 0 });

function counting(tx: Transaction, run: Run): Transaction {
  const count = (write: CountedWrite): void => {
    run.rows++;
    run.mutations += mutationsOf(write);
  };
  return {
    ...countingReads(tx, run),
    insert: (table, row) => {
      count({ kind: 'insert', table, row });
      tx.insert(table, row);
    },
    update: (table, row) => {
      count({ kind: 'update', table, row });
      tx.update(table, row);
    },
    upsert: (table, row) => {
      count({ kind: 'upsert', table, row });
      tx.upsert(table, row);
    },
    delete: (table, key) => {
      count({ kind: 'delete', table });
      tx.delete(table, key);
    },
  };
}

function countingReads(tx: Transaction, run: Run): Pick<Transaction, 'read' | 'scan'> {
  /** A read that begins after another was answered may have waited for it: then it is a trip of its own. */
  const begin = (): (() => void) => {
    const trip = run.answered + 1;
    run.trips = Math.max(run.trips, trip);
    return () => void (run.answered = Math.max(run.answered, trip));
  };
  return {
    read: async (table, keys) => {
      if (keys.length === 0) return tx.read(table, keys);
      run.reads += keys.length;
      const answered = begin();
      const rows = await tx.read(table, keys);
      answered();
      return rows;
    },
    scan: async function* (table, range, options) {
      const answered = begin();
      for await (const row of tx.scan(table, range, options)) {
        run.reads++;
        yield row;
      }
      answered();
    },
  };
}
