import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { localPaths } from '#infra/local/open-local.ts';
import { deadLetter } from '#infra/usage/tables.ts';
import { inLocalDirectory } from '#test/support/local-stores.ts';
import { LONG_MODEL, type PlannedEvent } from '#test/support/reference-plan.ts';
import { rowsOf } from './agreement.ts';
import { inBatches } from './batches.ts';
import { startLoad } from './load.ts';
import { withSeed } from './seeds.ts';

/**
 * SQLite takes every value that the parser lets through, so it is given a rule of its own: a real refusal of one value, with a result
 * code of the closed list.
 */
function refuseLongGroups(directory: string): void {
  const database = new DatabaseSync(localPaths(directory).database);
  try {
    const sql = String(
      database.prepare(`SELECT sql FROM sqlite_schema WHERE name = 'usage_hour_log'`).get()?.['sql'],
    );
    const checked = sql.replace(
      /\) STRICT/,
      `, CHECK (instr(changes, CAST('${LONG_MODEL}' AS BLOB)) = 0)) STRICT`,
    );
    expect(checked).to.contain('CHECK');
    database.exec(`DROP TABLE usage_hour_log; ${checked}`);
  } finally {
    database.close();
  }
}

const isLong = ({ contents }: PlannedEvent): boolean =>
  contents.some(({ data }) => data['model'] === JSON.stringify(LONG_MODEL));

describe('one value that the store refuses', () => {
  it('dead-letters that event alone, as rejected by the store; all others count', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed(async (draw) => {
        const prepare = () => refuseLongGroups(directory);
        const load = await startLoad(directory, cleanup, {
          draw,
          options: { events: 1_200, longModels: 4, prepare },
        });
        const rejected = new Set(load.plan.events.filter(isLong).map(({ identity }) => identity));
        expect(rejected.size).to.equal(4);
        for (const part of ['before', 'during', 'after'] as const) await load.publish(part);
        await load.finish(rejected);
      }),
    ));

  it('is not believed of an event that comes alone, until others are stored beside it, and holds none of them up', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed(async (draw) => {
        const prepare = () => refuseLongGroups(directory);
        const options = { events: 300, longModels: 1, refusals: false, prepare };
        const load = await startLoad(directory, cleanup, { draw, options });
        const rejected = new Set(load.plan.events.filter(isLong).map(({ identity }) => identity));
        const [alone = [], others = []] = [true, false].map((wanted) =>
          load.plan.messages.filter(({ identity = '' }) => rejected.has(identity) === wanted),
        );
        await load.pipeline().ready;
        await load.producer.publish([alone.map(({ text }) => text)]);
        await load.pipeline().until('doubts', ({ refusal_doubted_total: doubted }) => doubted > 0);
        expect(await rowsOf(load.stores.database, deadLetter)).to.deep.equal([]);
        await load.producer.publish(inBatches(draw, others));
        await load.finish(rejected);
      }),
    ));
});
