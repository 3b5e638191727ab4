import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { QueryRefused, WarehouseLimitExceeded, WarehouseUnavailable } from '../errors.ts';
import type { MeteredEvent } from '../metered-event.ts';
import { schemaVersionOf, WAREHOUSE_TABLES, type WarehouseTable } from '../tables.ts';
import type { QueryParameters, Warehouse, WarehouseRow } from '../warehouse.ts';
import { compactTable, type Compaction } from './compact.ts';
import { openEngine, type Engine } from './engine.ts';
import { createEventEncoder } from './event-encoder.ts';
import { createManifest, type Manifest } from './manifest.ts';
import { planMeteredColumns, type ColumnPlan } from './queries/metered-columns.ts';
import type { Plan } from './queries/named-query.ts';
import { planQuery } from './queries/registry.ts';
import { relationOf } from './relation.ts';
import { createRowEncoder } from './row-encoder.ts';
import { newSegmentName, writeSegmentFile } from './segment-file.ts';
import { sweepDirectory, type Swept } from './sweep.ts';
import { createTextBuffer, type TextBuffer } from './text-buffer.ts';
import { encodeRows, type EncodedRows, type RowEncoder } from './text-format.ts';

const DEFAULT_MEMORY_MEGABYTES = 1_024;
const DEFAULT_THREADS = 2;
/** A name is only lost to a sweep that found the file old: more than one in a row means that clocks or disks are broken. */
const APPEND_ATTEMPTS_MAX = 3;
/** A buffer that grew beyond this is not kept for the next append. */
const KEPT_BUFFER_BYTES_MAX = 32 * 1024 * 1024;

export interface EmbeddedWarehouseOptions {
  /** Where the segment files lie; made if missing. Any number of processes may open the same one. */
  readonly directory: string;
  /** Holds the manifest; it must have the table `warehouseSegment`. It stays the caller's to close. */
  readonly database: Database;
  /** Bounds of the query engine. */
  readonly memoryMegabytes?: number;
  readonly threads?: number;
  readonly now?: () => Instant;
}

/** The port, and the housekeeping that a store of our own needs. */
export interface EmbeddedWarehouse extends Warehouse {
  /** One bounded run of compaction; the result of each table that had something to merge. Call it until there is none. */
  compact(): Promise<Compaction[]>;
  /** Removes files that were replaced or given up longer ago than the grace. */
  sweep(): Promise<Swept>;
}

export async function openEmbeddedWarehouse(options: EmbeddedWarehouseOptions): Promise<EmbeddedWarehouse> {
  const directory = resolve(options.directory);
  const manifest = createManifest(options.database);
  const engine = await openDirectory(directory, options);
  const tables = new Map(
    WAREHOUSE_TABLES.map((table) => [table.name, { table, encoder: createRowEncoder(table) }]),
  );
  const now = options.now ?? ((): Instant => Date.now() * MICROS_PER_MILLI);
  const appendRows = createAppend(directory, manifest);
  const events = createEventEncoder();

  const encoderOf = (name: string): RowEncoder<WarehouseRow> => {
    const found = tables.get(name);
    if (found === undefined) throw new RangeError(`the warehouse has no table ${name}`);
    return found.encoder;
  };

  async function compact(): Promise<Compaction[]> {
    const done: Compaction[] = [];
    for (const { table } of tables.values()) {
      const compaction = await compactTable({ directory, engine, manifest }, table);
      if (compaction !== undefined) done.push(compaction);
    }
    return done;
  }

  return {
    append: async (table, rows) => appendRows(encoderOf(table), rows),
    appendEvents: async (rows) => appendRows(events, rows),
    query: (name, parameters) => runQuery({ directory, manifest, engine }, name, parameters),
    meteredEvents: (parameters, asked = {}) =>
      readMetered({ directory, manifest, engine }, planMeteredColumns(parameters, asked)),
    compact,
    sweep: () => sweepDirectory({ directory, manifest, tables: [...tables.keys()], now }),
    close: () => engine.close(),
  };
}

async function openDirectory(directory: string, options: EmbeddedWarehouseOptions): Promise<Engine> {
  const { memoryMegabytes = DEFAULT_MEMORY_MEGABYTES, threads = DEFAULT_THREADS } = options;
  try {
    await mkdir(directory, { recursive: true });
    return await openEngine({ directory, memoryMegabytes, threads });
  } catch (error) {
    throw new WarehouseUnavailable(`the warehouse in ${directory} cannot be opened`, { cause: error });
  }
}

type Append = <Row>(encoder: RowEncoder<Row>, rows: readonly Row[]) => Promise<void>;

function createAppend(directory: string, manifest: Manifest): Append {
  // Appends run side by side; each takes a buffer of its own, the last one used is kept.
  let spare: TextBuffer | undefined;

  return async (encoder, rows) => {
    if (rows.length === 0) return;
    const buffer = spare ?? createTextBuffer();
    spare = undefined;
    try {
      await appendSegment({ directory, manifest }, encoder.table, encodeRows(encoder, rows, buffer));
    } finally {
      if (buffer.bytes.length <= KEPT_BUFFER_BYTES_MAX) spare = buffer;
    }
  };
}

interface Store {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** First the file, durable, then its manifest row: a crash in between leaves an orphan and no half of an append. */
async function appendSegment(
  { directory, manifest }: Store,
  table: WarehouseTable,
  encoded: EncodedRows,
): Promise<void> {
  const { bytes, rows, minDay, maxDay } = encoded;
  for (let attempt = 1; attempt <= APPEND_ATTEMPTS_MAX; attempt++) {
    const name = newSegmentName(table.name, 'text');
    try {
      await writeSegmentFile(directory, name.file, bytes);
    } catch (error) {
      throw new WarehouseUnavailable(`a segment of ${table.name} cannot be written`, { cause: error });
    }
    const schemaVersion = schemaVersionOf(table);
    // Whatever goes wrong here, the file stays: the row may have been committed. A sweep takes it if not.
    if (
      await manifest.add({
        ...name,
        format: 'text',
        rows,
        bytes: bytes.length,
        minDay,
        maxDay,
        schemaVersion,
      })
    )
      return;
  }
  throw new WarehouseUnavailable(
    `segments of ${table.name} were swept before they were committed, ${APPEND_ATTEMPTS_MAX} times`,
  );
}

type Reading = Store & { readonly engine: Engine };

async function* runQuery(
  store: Reading,
  name: string,
  parameters: QueryParameters,
): AsyncGenerator<WarehouseRow, void, undefined> {
  const plan = planQuery(name, parameters);
  const sql = await statementOf(store, plan);
  let rows = 0;
  for await (const chunk of store.engine.stream(sql, plan.bindings)) {
    for (const row of chunk) {
      if (++rows > plan.rowsMax) throw tooMany(name, plan);
      yield plan.present(row);
    }
  }
}

async function* readMetered(
  store: Reading,
  plan: ColumnPlan,
): AsyncGenerator<MeteredEvent[], void, undefined> {
  const sql = await statementOf(store, plan);
  let rows = 0;
  for await (const chunk of store.engine.streamColumns(sql, plan.bindings)) {
    rows += chunk.rowCount;
    if (rows > plan.rowsMax) throw tooMany('metered_events', plan);
    yield plan.read(chunk);
  }
}

/** Reads one snapshot of the manifest: each committed row once, whatever is appended or compacted meanwhile. */
async function statementOf(
  { directory, manifest }: Store,
  { table: name, days, sql, limit, rowsMax }: Pick<Plan, 'table' | 'days' | 'sql' | 'limit' | 'rowsMax'>,
): Promise<string> {
  const table = WAREHOUSE_TABLES.find((declared) => declared.name === name);
  if (table === undefined) throw new QueryRefused(`a query reads ${name}, which is no table`);
  const relation = relationOf(table, await manifest.live(table.name, days), directory);
  const head = `WITH ${table.name} AS NOT MATERIALIZED (\n${relation}\n)${sql.startsWith('\nSELECT') ? '' : ','}`;
  return `${head}${sql}\nLIMIT ${limit ?? rowsMax + 1}`;
}

const tooMany = (name: string, { rowsMax }: Pick<Plan, 'rowsMax'>): WarehouseLimitExceeded =>
  new WarehouseLimitExceeded(`query ${name} has more than ${rowsMax} rows: ask for less at a time`);
