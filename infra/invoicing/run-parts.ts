import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import type { Database, Reads, Transaction } from '#infra/database/database.ts';
import { NOTHING_COUNTED } from './run-counts.ts';
import { invoiceRun, invoiceRunPart, type InvoiceRunPartRow, type InvoiceRunRow } from './tables.ts';

/** A worker that has not been heard of for so long has lost its part to whoever comes. */
export const LEASE_MICROS = 60 * MICROS_PER_SECOND;

export interface RunPlace {
  readonly namespace: string;
  readonly run: string;
}

export interface Worker extends RunPlace {
  /** Names it among all that ever work on the run. */
  readonly worker: string;
}

/**
 * What a worker does next: a part to bill, waiting since all that is left is in the hands of others, ending the run, or nothing, since it has ended.
 */
export type NextPart =
  | { readonly kind: 'part'; readonly run: InvoiceRunRow; readonly part: InvoiceRunPartRow }
  | { readonly kind: 'wait' }
  | { readonly kind: 'finish'; readonly run: InvoiceRunRow }
  | { readonly kind: 'over' };

/** Takes the next part of a run, or one whose worker is gone. Repeated after a lost answer it takes the same part again. */
export async function takePart(
  database: Database,
  worker: Worker,
  { now, payersMax }: { readonly now: Instant; readonly payersMax: number },
): Promise<NextPart> {
  for (;;) {
    const [run] = await database.read(invoiceRun, [[worker.namespace, worker.run]]);
    if (run === undefined || run.state === 'done') return { kind: 'over' };
    if (run.exhausted) return takeLeft(database, worker, run, now);
    const payers = await nextPayers(database, run, payersMax);
    const { result } = await database.transact((tx) => claim(tx, worker, { run, payers, now }));
    if (result !== undefined) return { kind: 'part', run, part: result };
  }
}

interface NextPayers {
  readonly keys: readonly string[];
  readonly cursor: string | null;
  readonly isLast: boolean;
}

/** The next customers without a parent. */
async function nextPayers(
  database: Database,
  { namespace, payers, cursor }: InvoiceRunRow,
  max: number,
): Promise<NextPayers> {
  if (payers !== null) {
    const keys = payers.filter((key) => cursor === null || key > cursor).slice(0, max);
    const last = keys.at(-1) ?? cursor;
    return { keys, cursor: last, isLast: last === (payers.at(-1) ?? null) };
  }
  const keys: string[] = [];
  const range = { prefix: [namespace], ...(cursor === null ? {} : { from: cursor }) };
  for await (const { key, parent } of database.scan(customerTable, range)) {
    if (key === cursor || parent !== null) continue;
    keys.push(key);
    if (keys.length === max) return { keys, cursor: key, isLast: false };
  }
  return { keys, cursor: keys.at(-1) ?? cursor, isLast: true };
}

interface Claim {
  readonly run: InvoiceRunRow;
  readonly payers: NextPayers;
  readonly now: Instant;
}

/** Undefined when another worker was faster. */
async function claim(
  tx: Transaction,
  { namespace, run: id, worker }: Worker,
  { run, payers, now }: Claim,
): Promise<InvoiceRunPartRow | undefined> {
  const [current] = await tx.read(invoiceRun, [[namespace, id]]);
  if (current === undefined || current.parts !== run.parts || current.state === 'done') return undefined;
  const { keys, cursor, isLast } = payers;
  const part: InvoiceRunPartRow = {
    namespace,
    run: id,
    part: run.parts,
    payers: keys,
    isDone: false,
    worker,
    leaseUntil: now + LEASE_MICROS,
    counts: NOTHING_COUNTED,
    parked: [],
    failures: [],
  };
  tx.upsert(invoiceRun, { ...current, cursor, exhausted: isLast, parts: run.parts + 1 });
  tx.insert(invoiceRunPart, part);
  return part;
}

/** Once all parts are given out: one that was left, if there is one. */
async function takeLeft(
  database: Database,
  { namespace, run: id, worker }: Worker,
  run: InvoiceRunRow,
  now: Instant,
): Promise<NextPart> {
  const open = await openParts(database, { namespace, run: id });
  if (open.length === 0) return { kind: 'finish', run };
  const isLeft = (part: InvoiceRunPartRow): boolean => part.worker === worker || part.leaseUntil < now;
  for (const { part: place } of open.filter(isLeft)) {
    const { result } = await database.transact(async (tx) => {
      const [part] = await tx.read(invoiceRunPart, [[namespace, id, place]]);
      if (part === undefined || part.isDone || !isLeft(part)) return undefined;
      const taken = { ...part, worker, leaseUntil: now + LEASE_MICROS };
      tx.upsert(invoiceRunPart, taken);
      return taken;
    });
    if (result !== undefined) return { kind: 'part', run, part: result };
  }
  return { kind: 'wait' };
}

const openParts = async (from: Reads, { namespace, run }: RunPlace): Promise<InvoiceRunPartRow[]> =>
  (await Array.fromAsync(from.scan(invoiceRunPart, { prefix: [namespace, run] }))).filter(
    ({ isDone }) => !isDone,
  );

/** Another worker has the part: whatever this one was about to write is not written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The part in the hands of a worker, whose lease begins anew. Throws `LeaseLost`. */
export async function heldPart(
  tx: Transaction,
  { namespace, run, worker }: Worker,
  { part: place, now }: { readonly part: number; readonly now: Instant },
): Promise<InvoiceRunPartRow> {
  const [part] = await tx.read(invoiceRunPart, [[namespace, run, place]]);
  if (part === undefined || part.isDone || part.worker !== worker)
    throw new LeaseLost(`part ${place} of the invoice run ${run} is in other hands`);
  return { ...part, leaseUntil: now + LEASE_MICROS };
}
