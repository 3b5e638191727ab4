import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Database } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { openSqlite, type SqliteDatabase } from '#infra/database/sqlite/open.ts';
import { column, defineTable, nullable } from '#infra/database/table.ts';
import { systemScheduler } from '#infra/scheduler.ts';

const setting = defineTable('setting', {
  columns: { namespace: column('string'), key: column('string'), value: nullable('string') },
  key: ['namespace', 'key'],
  layout: { kind: 'rows', settled: 'catalogue' },
});
const plain = defineTable('plain', {
  columns: { key: column('string'), value: column('int64') },
  key: ['key'],
});

/** Two processes' worth of handles on one file: what one writes the other must see. */
async function onTwoHandles(
  test: (one: SqliteDatabase, other: SqliteDatabase) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-settled-'));
  const open = (): SqliteDatabase =>
    openSqlite({ path: join(directory, 'a.db'), tables: [setting, plain], clock: systemScheduler.now });
  const [one, other] = [open(), open()];
  try {
    await test(one, other);
  } finally {
    await other.close();
    await one.close();
    await rm(directory, { recursive: true });
  }
}

const put = (database: Database, key: string, value: string | null) =>
  database.transact(async (tx) => tx.upsert(setting, { namespace: 'n', key, value }));

const valueOf = async (from: Pick<Database, 'read'>, key: string): Promise<string | null | undefined> =>
  (await from.read(setting, [['n', key]]))[0]?.value;

const all = async (from: Pick<Database, 'scan'>): Promise<string[]> =>
  (await Array.fromAsync(from.scan(setting, { prefix: ['n'] }))).map(
    ({ key, value }) => `${key}=${String(value)}`,
  );

describe('settled tables', () => {
  it('show at once what another handle has committed, present rows and absent ones', () =>
    onTwoHandles(async (one, other) => {
      expect(await valueOf(other, 'a')).to.equal(undefined);
      expect(await all(other)).to.deep.equal([]);
      await put(one, 'a', '1');
      expect([await valueOf(other, 'a'), await all(other)]).to.deep.equal(['1', ['a=1']]);
      await put(other, 'a', '2');
      expect([await valueOf(one, 'a'), await valueOf(other, 'a')]).to.deep.equal(['2', '2']);
      await one.transact(async (tx) => tx.delete(setting, ['n', 'a']));
      expect([await valueOf(other, 'a'), await all(other)]).to.deep.equal([undefined, []]);
    }));

  it('show a snapshot what it began with, whatever is remembered since', () =>
    onTwoHandles(async (one, other) => {
      await put(one, 'a', 'old');
      await inSnapshot(other, async (snapshot) => {
        await put(one, 'a', 'new');
        expect(await valueOf(other, 'a'), 'a newer read').to.equal('new');
        expect(await valueOf(snapshot, 'a'), 'the snapshot').to.equal('old');
        expect(await all(snapshot)).to.deep.equal(['a=old']);
        expect(await valueOf(other, 'a'), 'and again').to.equal('new');
      });
    }));

  it('answer as if nothing were remembered, whatever is written and read in whatever order', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const steps = fc.array(
      fc.oneof(
        fc.record({
          do: fc.constant('put' as const),
          on: fc.boolean(),
          key,
          value: fc.string({ maxLength: 2 }),
        }),
        fc.record({ do: fc.constant('delete' as const), on: fc.boolean(), key, value: fc.constant('') }),
        fc.record({ do: fc.constant('plain' as const), on: fc.boolean(), key, value: fc.constant('') }),
        fc.record({ do: fc.constant('read' as const), on: fc.boolean(), key, value: fc.constant('') }),
      ),
      { maxLength: 30 },
    );
    await onTwoHandles(async (one, other) => {
      const model = new Map<string, string>();
      await fc.assert(
        fc.asyncProperty(steps, async (taken) => {
          for (const step of taken) {
            const database = step.on ? one : other;
            if (step.do === 'put') {
              await put(database, step.key, step.value);
              model.set(step.key, step.value);
            } else if (step.do === 'delete') {
              await database.transact(async (tx) => tx.delete(setting, ['n', step.key]));
              model.delete(step.key);
            } else if (step.do === 'plain')
              await database.transact(async (tx) => tx.upsert(plain, { key: step.key, value: 1 }));
            else expect(await valueOf(database, step.key)).to.equal(model.get(step.key));
          }
          for (const database of [one, other])
            expect(await all(database)).to.deep.equal(
              [...model].sort().map(([name, value]) => `${name}=${value}`),
            );
        }),
        { numRuns: 60 },
      );
    });
  });
});
