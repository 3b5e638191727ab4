import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openEngine, type Engine } from '#infra/warehouse/embedded/engine.ts';
import { relationOf } from '#infra/warehouse/embedded/relation.ts';
import { createRowEncoder } from '#infra/warehouse/embedded/row-encoder.ts';
import { createTextBuffer } from '#infra/warehouse/embedded/text-buffer.ts';
import { encodeRows } from '#infra/warehouse/embedded/text-format.ts';
import { WarehouseTooNew } from '#infra/warehouse/errors.ts';
import type { SegmentRow } from '#infra/warehouse/segment.ts';
import { schemaVersionOf, WAREHOUSE_TABLES, type WarehouseTable } from '#infra/warehouse/tables.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';

const FIRST: WarehouseTable = {
  name: 'readings',
  columns: [
    { name: 'at', type: 'time', nullable: false, since: 1 },
    { name: 'place', type: 'text', nullable: false, since: 1 },
  ],
  dayColumn: 'at',
  clusterBy: ['place'],
};
const SECOND: WarehouseTable = {
  ...FIRST,
  columns: [
    ...FIRST.columns,
    { name: 'note', type: 'text', nullable: true, since: 2 },
    { name: 'digest', type: 'hash', nullable: true, since: 2 },
    { name: 'content', type: 'canonicalJson', nullable: true, since: 2 },
  ],
};

const segmentOf = (
  table: WarehouseTable,
  file: string,
  format: 'text' | 'parquet',
  rows: number,
): SegmentRow => ({
  table: table.name,
  id: file,
  file,
  state: 'live',
  format,
  rows,
  bytes: 1,
  minDay: 0,
  maxDay: 0,
  schemaVersion: schemaVersionOf(table),
  createdAt: 0,
  closedAt: null,
});

describe('a table whose schema has grown', () => {
  let directory = '';
  let engine: Engine;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-schema-'));
    engine = await openEngine({ directory, memoryMegabytes: 256, threads: 1 });
  });
  afterEach(async () => {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function write(table: WarehouseTable, file: string, rows: WarehouseRow[]): Promise<SegmentRow> {
    const { bytes } = encodeRows(createRowEncoder(table), rows, createTextBuffer());
    await writeFile(join(directory, file), bytes);
    return segmentOf(table, file, 'text', rows.length);
  }

  async function read(table: WarehouseTable, segments: SegmentRow[]): Promise<unknown[]> {
    const rows: unknown[] = [];
    const sql = `SELECT place, note, digest_low, content_odd FROM (${relationOf(table, segments, directory)}) ORDER BY place`;
    for await (const chunk of engine.stream(sql, {})) rows.push(...chunk);
    return rows;
  }

  it('reads rows of every older version, text and Parquet, with nulls for what came later', async () => {
    const at = '2026-03-01T00:00:00Z';
    const old = await write(FIRST, 'a.tsv', [{ at, place: 'a' }]);
    const older = await write(FIRST, 'b.tsv', [{ at, place: 'b' }]);
    const digest = '00000000000000010000000000000002';
    const fresh = await write(SECOND, 'c.tsv', [
      { at, place: 'c', note: 'new', digest, content: '1.00000000000000001' },
    ]);
    await engine.count(
      `COPY (${relationOf(FIRST, [older], directory)}) TO '${join(directory, 'b.parquet')}' (FORMAT parquet)`,
    );
    const parquet = { ...older, file: 'b.parquet', format: 'parquet' };
    expect(await read(SECOND, [old, parquet, fresh])).to.deep.equal([
      { place: 'a', note: null, digest_low: null, content_odd: null },
      { place: 'b', note: null, digest_low: null, content_odd: null },
      { place: 'c', note: 'new', digest_low: 2n, content_odd: true },
    ]);
    expect(await read(SECOND, [])).to.deep.equal([]);
  });

  it('is refused by a release that does not know it', () => {
    const newer = segmentOf(SECOND, 'a.tsv', 'text', 1);
    expect(() => relationOf(FIRST, [newer], directory)).to.throw(WarehouseTooNew, 'upgrade');
  });

  it('only ever grows at its end, by columns that may be null', () => {
    for (const { name, columns, dayColumn, clusterBy } of WAREHOUSE_TABLES) {
      const versions = columns.map(({ since }) => since);
      expect(versions, name).to.deep.equal(versions.toSorted((a, b) => a - b));
      for (const column of columns)
        expect(column.since === 1 || column.nullable, `${name}.${column.name}`).to.equal(true);
      const names = columns.map((column) => column.name);
      expect(names).to.include.members([dayColumn, ...clusterBy]);
    }
  });
});
