import { rename, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { localPaths } from '#infra/local/open-local.ts';
import { inLocalDirectory, type Cleanup } from '#test/support/local-stores.ts';
import { expectNoneRejected, startLoad } from './load.ts';
import { withSeed } from './seeds.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';

const EVENTS = 1_200;

type Test = (context: { directory: string; cleanup: Cleanup; draw: SeededRandom }) => Promise<void>;
const inFault = (test: Test) => () =>
  inLocalDirectory((directory, cleanup) => withSeed((draw) => test({ directory, cleanup, draw })));

/** Another program on the same database, as an operator's tool would be. */
function openOther(directory: string, cleanup: Cleanup): DatabaseSync {
  const other = new DatabaseSync(localPaths(directory).database, { timeout: 10_000 });
  cleanup.defer(async () => {
    if (other.isOpen) other.close();
  });
  return other;
}

describe('a pipeline whose store fails under load', () => {
  it(
    'waits for a database that another program locks for a minute, and refuses no event',
    inFault(async ({ directory, cleanup, draw }) => {
      const load = await startLoad(directory, cleanup, { draw, options: { events: EVENTS } });
      await load.publish('before');
      await load.committed('before');
      const other = openOther(directory, cleanup);
      other.exec('BEGIN IMMEDIATE');
      await load.publish('during');
      // A transaction is tried for half a minute before it fails.
      await load.pipeline().says('another process holds the lock', 2);
      await expectNoneRejected(load.stores);
      other.exec('ROLLBACK');
      await load.publish('after');
      await load.finish();
    }),
  );

  const SCHEMAS: readonly (readonly [string, string, string])[] = [
    [
      'column of the log of hour cells',
      'ALTER TABLE usage_hour_log RENAME COLUMN sequence TO away',
      'ALTER TABLE usage_hour_log RENAME COLUMN away TO sequence',
    ],
    [
      'column of the event pages',
      'ALTER TABLE event_page RENAME COLUMN rest TO away',
      'ALTER TABLE event_page RENAME COLUMN away TO rest',
    ],
    [
      'table of the dead letters',
      'ALTER TABLE dead_letter RENAME TO away',
      'ALTER TABLE away RENAME TO dead_letter',
    ],
  ];
  for (const [what, breaks, mends] of SCHEMAS) {
    it(
      `waits for a ${what} that is missing for a while, and refuses no event`,
      inFault(async ({ directory, cleanup, draw }) => {
        const load = await startLoad(directory, cleanup, { draw, options: { events: EVENTS } });
        await load.publish('before');
        await load.committed('before');
        const other = openOther(directory, cleanup);
        other.exec(breaks);
        await load.publish('during');
        await load.pipeline().until('has failed', (counters) => counters.commit_failures_total >= 3);
        expect(load.pipeline().errorText()).to.contain('check its migrations');
        other.exec(mends);
        await load.publish('after');
        await load.finish();
      }),
    );
  }

  it(
    'waits for a schema that refuses every change of a cell, and refuses no event',
    inFault(async ({ directory, cleanup, draw }) => {
      const load = await startLoad(directory, cleanup, {
        draw,
        options: { events: EVENTS, refusals: false },
      });
      await load.publish('before');
      await load.committed('before');
      await load.pipeline().stop();
      // A refused value by its result code (SQLITE_CONSTRAINT_CHECK), but one that every metered event has.
      const other = openOther(directory, cleanup);
      const sql = String(
        other.prepare(`SELECT sql FROM sqlite_schema WHERE name = 'usage_hour_log'`).get()?.['sql'],
      );
      const next = Number(other.prepare('SELECT next FROM usage_hour_extent').get()?.['next']);
      other.exec(`ALTER TABLE usage_hour_log RENAME TO away;
        ${sql.replace(/\) STRICT/, `, CHECK (sequence < ${next})) STRICT`)};
        INSERT INTO usage_hour_log SELECT * FROM away`);
      await load.publish('during');
      await load.start().until('has failed', (counters) => counters.commit_failures_total >= 3);
      expect(load.pipeline().errorText()).to.contain('refuses value after value');
      await expectNoneRejected(load.stores);
      other.exec('DROP TABLE usage_hour_log; ALTER TABLE away RENAME TO usage_hour_log');
      await load.publish('after');
      await load.finish();
    }),
  );

  for (const [what, replace] of [
    ['gone', async () => undefined],
    ['replaced by a file', async (path: string) => writeFile(path, 'not a directory')],
  ] as const) {
    it(
      `commits on while the warehouse's directory is ${what}, and appends it all when it is back`,
      inFault(async ({ directory, cleanup, draw }) => {
        const load = await startLoad(directory, cleanup, { draw, options: { events: EVENTS } });
        await load.publish('before');
        await load.committed('before');
        const { warehouse } = localPaths(directory);
        await rename(warehouse, `${warehouse}-away`);
        await replace(warehouse);
        await load.publish('during');
        await load.committed('during');
        await load
          .pipeline()
          .until('has failed to append', (counters) => counters.append_failures_total >= 2);
        expect(
          (await load.stores.topic.backlog()).messages,
          'acknowledged before it was appended',
        ).to.be.above(0);
        await rm(warehouse, { force: true });
        await rename(`${warehouse}-away`, warehouse);
        await load.publish('after');
        await load.finish();
      }),
    );
  }
});
