import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { AlreadyExists } from '#infra/database/errors.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { standingClock } from './temporary.ts';
import { allTables, happening } from './tables.ts';

/**
 * A process that inserts the identities 0 to count - 1 in its own order, a few in each transaction, and says which it was first with:
 * one line of JSON for each commit, after it. Arguments: path, seed, count.
 */
const BATCH = 20;

const [path = '', seed = '', count = '0'] = process.argv.slice(2);
const database = openSqlite({ path, tables: allTables, clock: standingClock });

const identity = (of: number): string => hash('sha256', String(of), 'binary').slice(0, 16);
const order = Array.from({ length: Number(count) }, (_, i) => i).sort((a, b) =>
  hash('md5', `${seed} ${a}`) < hash('md5', `${seed} ${b}`) ? -1 : 1,
);

for (let at = 0; at < order.length; at += BATCH) {
  const some = order.slice(at, at + BATCH);
  const { result, committedAt } = await database.transact(async (tx) => {
    const there = await tx.read(
      happening,
      some.map((of) => [identity(of)]),
    );
    const added = some.filter((_, i) => there[i] === undefined);
    for (const of of added) {
      tx.insert(happening, {
        identity: identity(of),
        subject: `${seed} ${of}`,
        state: 'live',
        committedAt: commitTimestamp,
      });
    }
    return added;
  });
  process.stdout.write(`${JSON.stringify({ added: result, committedAt })}\n`);
  // Waiting processes come in between.
  await setImmediate();
}

try {
  await database.transact(async (tx) =>
    tx.insert(happening, { identity: identity(order[0] ?? 0), subject: '', state: 'live', committedAt: 0 }),
  );
  process.exitCode = 3;
} catch (error) {
  if (!(error instanceof AlreadyExists)) throw error;
}
await database.close();
