import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openEngine, type Engine } from '#infra/warehouse/embedded/engine.ts';
import { QueryFailed, WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import { failureOf } from '#test/contract/warehouse/rows.ts';

describe('the query engine of the embedded warehouse', () => {
  let directory = '';
  let engine: Engine;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-engine-'));
    engine = await openEngine({ directory, memoryMegabytes: 64, threads: 1 });
  });
  afterEach(async () => {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('sorts what outgrows its memory on the disk, and clears it away', async () => {
    const spills = async (): Promise<string[]> =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('millrace-spill-'));
    const before = new Set(await spills());
    const texts = `SELECT md5(CAST(i AS VARCHAR)) || md5(CAST(-i AS VARCHAR)) AS text FROM range(1500000) t(i)`;
    let rows = 0;
    let last = '';
    let disorder = 0;
    let spilled = false;
    for await (const chunk of engine.stream(`SELECT text FROM (${texts}) ORDER BY text`, {})) {
      spilled ||= (await spills()).some((name) => !before.has(name));
      for (const { text } of chunk) {
        if (String(text) < last) disorder++;
        last = String(text);
        rows++;
      }
    }
    expect({ rows, disorder }).to.deep.equal({ rows: 1_500_000, disorder: 0 });
    expect(spilled, 'the sort fitted the memory, so this test shows nothing').to.equal(true);
    await engine.close();
    expect((await spills()).filter((name) => !before.has(name))).to.deep.equal([]);
  });

  it('reaches no file outside its directory and cannot be told otherwise', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'millrace-outside-'));
    await writeFile(join(outside, 'a.csv'), '1\n');
    const statements = [
      `SELECT count(*) FROM read_csv('${join(outside, 'a.csv')}')`,
      `SELECT count(*) FROM read_csv('${join(directory, '..', outside.split('/').at(-1) ?? '', 'a.csv')}')`,
      `COPY (SELECT 1) TO '${join(outside, 'b.csv')}'`,
      `SET enable_external_access = true`,
      `SET memory_limit = '64GB'`,
      `INSTALL httpfs`,
      `ATTACH '${join(outside, 'c.duckdb')}'`,
    ];
    for (const sql of statements) {
      const error = await failureOf(engine.count(sql));
      expect(error instanceof QueryFailed || error instanceof WarehouseUnavailable, sql).to.equal(true);
    }
    expect(await readdir(outside)).to.deep.equal(['a.csv']);
    await rm(outside, { recursive: true });
  });

  it('answers more questions than it takes at once, each with its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => engine.count(`SELECT ${index}`)),
    );
    expect(answers).to.deep.equal(Array.from({ length: 20 }, (_, index) => index));
  });
});
