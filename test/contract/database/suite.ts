import { readsContract } from './reads.ts';
import { scansContract } from './scans.ts';
import { snapshotsContract } from './snapshots.ts';
import { spreadContract } from './spread.ts';
import type { OpenDatabase, WithDatabase } from './support.ts';
import { contractTables } from './tables.ts';
import { transactionsContract } from './transactions.ts';
import { valuesContract } from './values.ts';
import { writesContract } from './writes.ts';

/** What every driver of the Database port guarantees. A driver's test calls this with a way to open an empty store. */
export function databaseContract(name: string, open: OpenDatabase): void {
  const withDatabase: WithDatabase = (test) => async () => {
    const opened = await open(contractTables);
    try {
      await test(opened);
    } finally {
      await opened.close();
    }
  };

  describe(`the Database contract on ${name}`, () => {
    valuesContract(withDatabase);
    readsContract(withDatabase);
    scansContract(withDatabase);
    spreadContract(withDatabase);
    snapshotsContract(withDatabase);
    writesContract(withDatabase);
    transactionsContract(withDatabase);
  });
}
