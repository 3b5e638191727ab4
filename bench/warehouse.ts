import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import {
  openEmbeddedWarehouse,
  type EmbeddedWarehouse,
} from '#infra/warehouse/embedded/embedded-warehouse.ts';
import { openEngine } from '#infra/warehouse/embedded/engine.ts';
import { createEventEncoder } from '#infra/warehouse/embedded/event-encoder.ts';
import { createManifest } from '#infra/warehouse/embedded/manifest.ts';
import { fractionOf, plainNumber, unitsOf, valueText } from '#infra/warehouse/embedded/queries/json-value.ts';
import { boundText } from '#infra/warehouse/embedded/queries/bindings.ts';
import { relationOf } from '#infra/warehouse/embedded/relation.ts';
import { createRowEncoder } from '#infra/warehouse/embedded/row-encoder.ts';
import { createTextBuffer } from '#infra/warehouse/embedded/text-buffer.ts';
import { encodeRows } from '#infra/warehouse/embedded/text-format.ts';
import { toWarehouseRow, type EventRow } from '#infra/warehouse/event-row.ts';
import { warehouseSegment } from '#infra/warehouse/segment.ts';
import { EVENTS } from '#infra/warehouse/tables.ts';
import type { QueryParameters } from '#infra/warehouse/warehouse.ts';

/** What the embedded warehouse costs: `node bench/warehouse.ts [events] [subjects]`. */

const BATCH_ROWS = 20_000;
const START = 1_772_323_200_000_000;
const DAYS = 30;
/** One event in so many is appended a second time. */
const DUPLICATE_EVERY = 50;
const ENCODE_ROUNDS = 40;
const QUERY_ROUNDS = 3;
const METERS = [['tokens@1', 'calls@1'], ['tokens@1']] as const;

interface Cost {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** CPU of all threads of the process: the engine's, and the thread pool's, too. */
async function measure(run: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - wall) / 1e3 };
}

const median = (costs: readonly Cost[]): Cost =>
  costs.toSorted((a, b) => a.cpuSeconds - b.cpuSeconds)[Math.floor(costs.length / 2)] ?? {
    cpuSeconds: 0,
    wallSeconds: 0,
  };

const sum = (costs: readonly Cost[]): Cost => ({
  cpuSeconds: costs.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
  wallSeconds: costs.reduce((total, { wallSeconds }) => total + wallSeconds, 0),
});

function report(name: string, { cpuSeconds, wallSeconds }: Cost, rows?: number): void {
  const rate =
    rows === undefined
      ? ''
      : `  ${((cpuSeconds / rows) * 1e9).toFixed(0)} ns CPU a row, ${Math.round(rows / cpuSeconds)} rows per CPU-s`;
  console.log(`${name.padEnd(52)} ${cpuSeconds.toFixed(3)} s CPU  ${wallSeconds.toFixed(3)} s wall${rate}`);
}

interface Workload {
  readonly events: number;
  readonly subjects: number;
}

function eventAt(index: number, { events, subjects }: Workload): EventRow {
  const hashes = hash('sha256', `event-${index}`, 'binary');
  const time = START + Math.floor((index / events) * DAYS * MICROS_PER_DAY);
  return {
    identity: hashes.slice(0, 16),
    digest: hashes.slice(16),
    outcome: 'accepted',
    namespace: 'default',
    id: `evt-${index}`,
    source: 'urn:svc:chat',
    type: 'llm.request',
    subject: `customer-${(index * 7919) % subjects}`,
    time,
    data: `{"model":"m${index % 7}","region":"eu-west-${index % 3}","request":"r-${index}","tokens":${(index * 37) % 5_000}}`,
    attributes: null,
    publishedAt: time + 2_000,
    committedAt: START + Math.floor(index / BATCH_ROWS) * 1_000_000,
    catalogueVersion: 3,
    matchedMeters: METERS[index & 1] ?? [],
  };
}

const batchAt = (first: number, workload: Workload): EventRow[] =>
  Array.from({ length: Math.min(BATCH_ROWS, workload.events - first) }, (_, offset) => {
    const index = first + offset;
    return eventAt(
      index % DUPLICATE_EVERY === DUPLICATE_EVERY - 1 ? Math.max(0, index - 1) : index,
      workload,
    );
  });

async function benchEncoding(workload: Workload): Promise<void> {
  const rows = batchAt(0, { ...workload, events: Math.max(workload.events, BATCH_ROWS) });
  const plain = rows.map(toWarehouseRow);
  const buffer = createTextBuffer();
  const events = createEventEncoder();
  const table = createRowEncoder(EVENTS);
  const rounds = async (run: () => unknown): Promise<void> => {
    for (let round = 0; round < ENCODE_ROUNDS; round++) run();
  };
  for (const [name, run] of [
    ['encode, as events', () => encodeRows(events, rows, buffer)],
    ['encode, as rows of the port', () => encodeRows(table, plain, buffer)],
  ] as const) {
    await rounds(run);
    report(name, await measure(() => rounds(run)), rows.length * ENCODE_ROUNDS);
  }
}

async function benchAppend(warehouse: EmbeddedWarehouse, workload: Workload): Promise<void> {
  const costs: Cost[] = [];
  for (let first = 0; first < workload.events; first += BATCH_ROWS) {
    const rows = batchAt(first, workload);
    costs.push(await measure(() => warehouse.appendEvents(rows)));
  }
  report(`append, ${BATCH_ROWS} rows a call, with fsync and manifest`, sum(costs), workload.events);
}

async function benchCompaction(warehouse: EmbeddedWarehouse, workload: Workload): Promise<void> {
  const costs: Cost[] = [];
  for (let more = true; more;) {
    costs.push(await measure(async () => (more = (await warehouse.compact()).length > 0)));
  }
  report('compact, text to Parquet', sum(costs), workload.events);
}

const RANGE = {
  namespace: 'default',
  from: formatInstant(START),
  to: formatInstant(START + DAYS * MICROS_PER_DAY),
};
const SUM = {
  ...RANGE,
  meter: 'tokens@1',
  type: 'llm.request',
  aggregation: 'sum',
  value: 'tokens',
  window: 'hour',
};

const QUESTIONS: readonly (readonly [string, string, QueryParameters])[] = [
  ['exact: sum by subject and hour, all subjects', 'usage_by_window', { ...SUM, bySubject: true }],
  ['exact: sum by subject', 'usage_by_window', { ...SUM, window: 'none', bySubject: true }],
  ['exact: count by hour', 'usage_by_window', { ...RANGE, aggregation: 'count', window: 'hour' }],
  ['exact: sum by hour, one subject', 'usage_by_window', { ...SUM, subjects: ['customer-7'] }],
  [
    'exact: sum of the month, one subject',
    'usage_by_window',
    { ...SUM, window: 'none', subjects: ['customer-7'] },
  ],
  ['fingerprints by subject and meter', 'fingerprints', RANGE],
];

async function ask(
  warehouse: EmbeddedWarehouse,
  name: string,
  query: string,
  parameters: QueryParameters,
): Promise<void> {
  const costs: Cost[] = [];
  let rows = 0;
  for (let round = 0; round < QUERY_ROUNDS; round++) {
    rows = 0;
    costs.push(
      await measure(async () => {
        for await (const _ of warehouse.query(query, parameters)) rows++;
      }),
    );
  }
  report(`${name} (${rows} rows)`, median(costs));
}

async function main(workload: Workload): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const segments = join(directory, 'segments');
  const clock = (): number => Date.now() * 1_000;
  const database = openSqlite({
    path: join(directory, 'manifest.sqlite'),
    tables: [warehouseSegment],
    clock,
  });
  const warehouse = await openEmbeddedWarehouse({ directory: segments, database });
  try {
    await benchEncoding(workload);
    await benchAppend(warehouse, workload);
    await ask(warehouse, 'text segments: sum by hour, one subject', 'usage_by_window', {
      ...SUM,
      subjects: ['customer-7'],
    });
    await benchCompaction(warehouse, workload);
    const live = await createManifest(database).live(EVENTS.name);
    const bytes = live.reduce((total, segment) => total + segment.bytes, 0);
    console.log(`${live.length} Parquet files, ${(bytes / workload.events).toFixed(1)} bytes a row`);
    await benchRaw(segments, relationOf(EVENTS, live, segments));
    for (const [name, query, parameters] of QUESTIONS) await ask(warehouse, name, query, parameters);
  } finally {
    await warehouse.close();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The same sum over the rows as they lie there, duplicates and all: what exactness costs is the difference. */
async function benchRaw(directory: string, relation: string): Promise<void> {
  const engine = await openEngine({ directory, memoryMegabytes: 1_024, threads: 2 });
  const sql = `WITH events AS NOT MATERIALIZED (${relation}),
plain AS (SELECT subject, time // 3600000000 AS hour, ${plainNumber(valueText('$value'))} AS plain FROM events
  WHERE outcome = 'accepted' AND contains(matched_meters, '"tokens@1"'))
SELECT subject, hour, sum(${unitsOf('plain')}) AS units, sum(${fractionOf('plain')}) AS fractions FROM plain GROUP BY ALL`;
  const costs: Cost[] = [];
  for (let round = 0; round < QUERY_ROUNDS; round++) {
    costs.push(
      await measure(async () => {
        for await (const _ of engine.stream(sql, { value: boundText('$."tokens"') })) continue;
      }),
    );
  }
  report('raw: sum by subject and hour, all subjects', median(costs));
  await engine.close();
}

if (import.meta.main) {
  const [events = '1000000', subjects = '1000'] = process.argv.slice(2);
  await main({ events: Number(events), subjects: Number(subjects) });
}
