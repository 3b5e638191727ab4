import { join } from 'node:path';
import { WarehouseUnavailable } from '../errors.ts';
import type { NewSegment, SegmentRow } from '../segment.ts';
import { schemaVersionOf, type WarehouseTable } from '../tables.ts';
import type { Engine } from './engine.ts';
import type { Manifest } from './manifest.ts';
import { relationOf, storedColumnsOf } from './relation.ts';
import { newSegmentName, removeQuietly, syncSegmentFile } from './segment-file.ts';
import { identifier, textLiteral } from './sql-text.ts';

/** One run takes in at most so much, so that it fits the memory and is soon over. */
export const COMPACTION_ROWS_MAX = 1_000_000;
export const COMPACTION_BYTES_MAX = 512 * 1024 * 1024;
/** So many Parquet files of about one size become one of the next: each row is rewritten a few times at most. */
export const PARQUET_FAN_IN = 8;
const SMALLEST_TIER_ROWS = 4_096;
/** Small enough to skip most of a file that is sorted by subject, large enough to compress. */
const ROW_GROUP_ROWS = 24_576;

export interface Compaction {
  readonly table: string;
  readonly segments: number;
  readonly rows: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface CompactionContext {
  readonly directory: string;
  readonly engine: Engine;
  readonly manifest: Manifest;
}

/** What the next run merges: all text first, else Parquet files of one tier. The oldest first, so that a file's days stay together. */
export function chooseInputs(live: readonly SegmentRow[]): SegmentRow[] {
  const oldestFirst = live.toSorted((a, b) => a.createdAt - b.createdAt);
  const text = oldestFirst.filter(({ format }) => format === 'text');
  if (text.length > 0) return withinOneRun(text);
  const tiers = Map.groupBy(oldestFirst, tierOf);
  for (const tier of [...tiers.keys()].sort((a, b) => a - b)) {
    const inputs = withinOneRun((tiers.get(tier) ?? []).slice(0, PARQUET_FAN_IN));
    if (inputs.length === PARQUET_FAN_IN) return inputs;
  }
  return [];
}

const tierOf = ({ rows }: SegmentRow): number =>
  Math.max(0, Math.floor(Math.log(Math.max(1, rows / SMALLEST_TIER_ROWS)) / Math.log(PARQUET_FAN_IN)));

/** As many from the front as one run may take in; always the first one. */
function withinOneRun(segments: readonly SegmentRow[]): SegmentRow[] {
  let rows = 0;
  let bytes = 0;
  const end = segments.findIndex((segment, index) => {
    rows += segment.rows;
    bytes += segment.bytes;
    return index > 0 && (rows > COMPACTION_ROWS_MAX || bytes > COMPACTION_BYTES_MAX);
  });
  return end < 0 ? [...segments] : segments.slice(0, end);
}

/**
 * One run of compaction over a table; undefined when there is nothing to do or another process was quicker. The merged file is complete
 * and durable before one transaction puts it in the place of its inputs, whose files stay until `sweep`: readers see either.
 */
export async function compactTable(
  context: CompactionContext,
  table: WarehouseTable,
): Promise<Compaction | undefined> {
  const { directory, manifest } = context;
  // What a newer release wrote is its own to compact: beside it, this one goes on with what it knows.
  const known = (await manifest.live(table.name)).filter(
    ({ schemaVersion }) => schemaVersion <= schemaVersionOf(table),
  );
  const inputs = chooseInputs(known);
  if (inputs.length === 0) return undefined;
  const output = await merge(context, table, inputs);
  if (!(await manifest.replace(inputs, output))) {
    await removeQuietly(join(directory, output.file));
    return undefined;
  }
  return {
    table: table.name,
    segments: inputs.length,
    rows: output.rows,
    bytesBefore: sum(inputs.map(({ bytes }) => bytes)),
    bytesAfter: output.bytes,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function merge(
  { directory, engine }: CompactionContext,
  table: WarehouseTable,
  inputs: readonly SegmentRow[],
): Promise<NewSegment> {
  const name = newSegmentName(table.name, 'parquet');
  const path = join(directory, name.file);
  try {
    const rows = await engine.count(copyStatement(table, relationOf(table, inputs, directory), path));
    const expected = sum(inputs.map((segment) => segment.rows));
    if (rows !== expected) {
      throw new WarehouseUnavailable(
        `compaction read ${rows} rows where the manifest has ${expected}: nothing was replaced`,
      );
    }
    return {
      ...name,
      format: 'parquet',
      rows,
      bytes: await syncSegmentFile(directory, name.file),
      minDay: Math.min(...inputs.map(({ minDay }) => minDay)),
      maxDay: Math.max(...inputs.map(({ maxDay }) => maxDay)),
      schemaVersion: schemaVersionOf(table),
    };
  } catch (error) {
    await removeQuietly(path);
    throw error instanceof Error && error.name.startsWith('Warehouse')
      ? error
      : new WarehouseUnavailable(`a compaction of ${table.name} failed`, { cause: error });
  }
}

function copyStatement(table: WarehouseTable, relation: string, path: string): string {
  const columns = storedColumnsOf(table).map(({ name }) => identifier(name));
  return (
    `COPY (SELECT ${columns.join(', ')} FROM (${relation}) ORDER BY ${table.clusterBy.map(identifier).join(', ')}) ` +
    `TO ${textLiteral(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`
  );
}
