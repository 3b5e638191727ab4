import type { Readable } from 'node:stream';
import type { Reads } from '../database.ts';
import type { Key, KeyRange, Table } from '../table.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { WireValue } from './field.ts';
import { encodeKey, keyOfRow } from './layout.ts';
import type { Layout } from './layout.ts';
import { mergeRows } from './merge-rows.ts';
import { collectRows, eachRow } from './row-stream.ts';
import type { RowRequest } from './row-stream.ts';
import { planScan } from './scan-plan.ts';
import type { ScanBy, ScanPlan } from './scan-plan.ts';

/** Of one request; more keys go in several at once. Spanner takes 10 MB a request. */
const KEYS_PER_REQUEST = 5_000;

/** The stream of a request, and what is to be done when it is over. */
export interface OpenedStream {
  readonly stream: Readable;
  readonly end: () => void;
}

/** Where rows come from: the newest state, a snapshot, or a transaction. */
export interface RowSource {
  open(request: RowRequest): Promise<OpenedStream>;
  /** What the work is told of an error that a request ended with. */
  failure(error: unknown): Error;
}

async function collect(source: RowSource, layout: Layout, request: RowRequest): Promise<StoredRow[]> {
  try {
    const { stream, end } = await source.open(request);
    try {
      return await collectRows(stream, layout);
    } finally {
      end();
    }
  } catch (error) {
    throw source.failure(error);
  }
}

async function* stream(
  source: RowSource,
  layout: Layout,
  request: RowRequest,
): AsyncGenerator<StoredRow, void> {
  try {
    const opened = await source.open(request);
    try {
      yield* eachRow(opened.stream, layout);
    } finally {
      opened.end();
    }
  } catch (error) {
    throw source.failure(error);
  }
}

/** Keys of one table that are to be read, by their text. */
type Wanted = Map<string, WireValue[]>;

async function readKeys(
  source: RowSource,
  layout: Layout,
  wanted: Wanted,
): Promise<ReadonlyMap<string, StoredRow>> {
  const keys = [...wanted.values()].map((values) => ({ values }));
  const parts = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_REQUEST)
    parts.push(keys.slice(at, at + KEYS_PER_REQUEST));
  const { names: columns, table } = layout;
  const rows = await Promise.all(
    parts.map((some) =>
      collect(source, layout, {
        kind: 'keys',
        table: table.name,
        columns,
        inAnyOrder: true,
        keySet: { keys: some },
      }),
    ),
  );
  return new Map(rows.flat().map((row) => [textOf(keyOfRow(layout, row)), row]));
}

const textOf = (key: Key): string => JSON.stringify(key);

interface Batch {
  readonly wanted: Wanted;
  readonly rows: Promise<ReadonlyMap<string, StoredRow>>;
}

/**
 * Reads by key. Those that are started together go to Spanner together, as one request a table: a request is sent once everything that could
 * run at once has run.
 */
export function keyReads(source: RowSource, layoutFor: (table: Table<object>) => Layout): Reads['read'] {
  const batches = new Map<Layout, Batch>();
  const startBatch = (layout: Layout): Batch => {
    const wanted: Wanted = new Map();
    const rows = afterThisTurn().then(() => {
      batches.delete(layout);
      return readKeys(source, layout, wanted);
    });
    const batch = { wanted, rows };
    batches.set(layout, batch);
    return batch;
  };
  return async <Row extends object>(table: Table<Row>, keys: readonly Key[]) => {
    const layout = layoutFor(table);
    const encoded = keys.map((key) => [textOf(key), encodeKey(layout, key)] as const);
    if (encoded.length === 0) return [];
    const { wanted, rows } = batches.get(layout) ?? startBatch(layout);
    for (const [text, values] of encoded) wanted.set(text, values);
    const found = await rows;
    return encoded.map(([text]) => found.get(text) as Row | undefined);
  };
}

/** Once all promises that are settled have been followed up: `nextTick` comes after them, if it is asked for by one of them. */
const afterThisTurn = (): Promise<void> =>
  Promise.resolve().then(() => new Promise((resolve) => process.nextTick(resolve)));

/** The rows of a plan, in its order. */
export async function* scanPlanned(
  source: RowSource,
  layout: Layout,
  { requests, order, reverse, limit }: ScanPlan,
): AsyncGenerator<StoredRow, void> {
  const [first, ...others] = requests.map((request) => stream(source, layout, request));
  if (first === undefined) return;
  if (others.length === 0) yield* first;
  else yield* mergeRows([first, ...others], { order, reverse, limit });
}

/** Scans of a source whose requests all show one state. */
export const scansOf = (source: RowSource, layoutFor: (table: Table<object>) => Layout): Reads['scan'] =>
  async function* <Row extends object>(table: Table<Row>, range: KeyRange, options: ScanBy = {}) {
    const layout = layoutFor(table);
    yield* scanPlanned(source, layout, planScan(layout, range, options)) as AsyncIterable<Row>;
  };
