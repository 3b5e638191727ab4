import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { applyInvoices } from './apply-invoices.ts';
import { collectInvoices, type InvoicingStores } from './collect-invoices.ts';
import type { CollectedInvoice } from './collected-invoice.ts';
import { readInvoiceRun } from './invoice-runs.ts';
import { issueInvoices, issuePrepared, prepareCollected } from './issue-invoices.ts';
import { addCounts, countInvoices, NOTHING_COUNTED } from './run-counts.ts';
import { heldPart, LEASE_MICROS, LeaseLost, takePart, type Worker } from './run-parts.ts';
import {
  invoiceRun,
  invoiceRunPart,
  openRun,
  type InvoiceRunPartRow,
  type InvoiceRunRow,
  type PayerFailure,
  type RunCounts,
} from './tables.ts';
import { untilKnown } from '#infra/database/until-known.ts';

export interface WorkOnRun extends Worker {
  readonly scheduler: Scheduler;
  readonly graceMicros?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `BULK` where nothing is said. */
  readonly pace?: Pace | undefined;
  /** Leaves the end of the run to other workers. */
  readonly partsOnly?: boolean | undefined;
  /** Lets others go on, between payers. */
  readonly breathe?: (() => Promise<void>) | undefined;
  readonly newId?: (() => string) | undefined;
  /** Told after each part what it came to, and after each batch how many were issued. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
}

/** How much is done at a time. */
export interface Pace {
  /** Read in one snapshot. */
  readonly payersPerPart: number;
  /** Written in one transaction, about: an invoice of many items may be more by itself. */
  readonly rowsPerCommit: number;
  readonly issuedPerCommit: number;
}

/** For a process that does nothing else. */
export const BULK: Pace = { payersPerPart: 200, rowsPerCommit: 4_000, issuedPerCommit: 200 };
/** For a process that answers others meanwhile: no step of it keeps them waiting for long. */
export const GENTLE: Pace = { payersPerPart: 10, rowsPerCommit: 150, issuedPerCommit: 20 };

export type RunProgress =
  | { readonly kind: 'part'; readonly counts: RunCounts }
  | { readonly kind: 'issued'; readonly issued: number };

/**
 * Works on a run until it is done: takes its parts one after the other, and issues what they make; what is left is issued at its end. Any number of
 * workers may do so at once, and a part whose worker was killed is taken over when its lease ends: what it had written is found, and is not billed
 * again. Throws what the stores throw; the run stays open, and the next worker goes on.
 */
export async function workOnRun(stores: InvoicingStores, work: WorkOnRun): Promise<void> {
  const { scheduler, signal, pace = BULK } = work;
  for (;;) {
    signal?.throwIfAborted();
    const asked = { now: scheduler.now(), payersMax: pace.payersPerPart };
    const next = await untilKnown(() => takePart(stores.database, work, asked));
    if (next.kind === 'over') return;
    if (next.kind === 'finish') return work.partsOnly ? undefined : finishRun(stores, work, next.run);
    if (next.kind === 'wait') await scheduler.sleep(WAIT_MS, signal);
    else await billPart(stores, work, next);
  }
}

/** While others have the rest of a run its last worker looks so often whether they are done, or gone. */
const WAIT_MS = 200;

interface Part {
  readonly run: InvoiceRunRow;
  readonly part: InvoiceRunPartRow;
}

async function billPart(stores: InvoicingStores, work: WorkOnRun, taken: Part): Promise<void> {
  const held = new AbortController();
  const signal = work.signal === undefined ? held.signal : AbortSignal.any([held.signal, work.signal]);
  const kept = keepLease(stores, work, { taken, signal });
  try {
    const counts = await billPayers(stores, work, taken);
    work.onProgress?.({ kind: 'part', counts });
  } catch (error) {
    // Whoever has it now brings it to its end.
    if (!(error instanceof LeaseLost)) throw error;
  } finally {
    held.abort();
    await kept;
  }
}

/** Payers whose usage takes its time keep their worker's lease alive all the same. */
async function keepLease(
  { database }: InvoicingStores,
  work: WorkOnRun,
  { taken, signal }: { readonly taken: Part; readonly signal: AbortSignal },
): Promise<void> {
  const { scheduler } = work;
  for (;;) {
    await scheduler.sleep(LEASE_MICROS / 3 / MICROS_PER_MILLI, signal);
    if (signal.aborted) return;
    try {
      await database.transact(async (tx) =>
        tx.upsert(invoiceRunPart, await heldPart(tx, work, { part: taken.part.part, now: scheduler.now() })),
      );
    } catch {
      // If it is lost, the next write says so; if the store fails, so does that.
      return;
    }
  }
}

/** Bills the payers of a part until nothing more is due of them. */
async function billPayers(stores: InvoicingStores, work: WorkOnRun, { run, part }: Part): Promise<RunCounts> {
  const { namespace, scheduler, graceMicros, signal, breathe, newId } = work;
  const failures = new Map<string, PayerFailure>();
  let payers = part.payers;
  let unwritten = NOTHING_COUNTED;
  while (payers.length > 0) {
    const collected = await collectInvoices(stores, {
      ...{ namespace, payers, graceMicros, signal, breathe, newId },
      asOf: run.asOf,
      now: scheduler.now(),
    });
    for (const failure of collected.failures) failures.set(failure.customer, failure);
    if (run.dryRun) {
      unwritten = countInvoices(collected.invoices);
      break;
    }
    const { written, stale } = await writeCollected(stores, work, { run, part }, collected.invoices);
    await issueWritten(stores, work, part, written);
    payers = [...new Set([...collected.more, ...stale])];
  }
  return untilKnown(() => endPart(stores, work, part, { failures: [...failures.values()], unwritten }));
}

interface WrittenInvoices {
  readonly written: readonly CollectedInvoice[];
  /** Payers who have to be collected again. */
  readonly stale: readonly string[];
}

/** Writes what was collected, and with each transaction what it adds to the part. */
async function writeCollected(
  { database }: InvoicingStores,
  work: WorkOnRun,
  { run, part }: Part,
  invoices: readonly CollectedInvoice[],
): Promise<WrittenInvoices> {
  const { namespace, scheduler } = work;
  const stale = new Set<string>();
  const all: CollectedInvoice[] = [];
  for (const each of commitsOf(invoices, (work.pace ?? BULK).rowsPerCommit)) {
    // What comes after a stale one builds on it, even if as much was billed meanwhile as it counts on.
    const batch = each.filter(({ inputs }) => !stale.has(inputs.customer.key));
    if (batch.length === 0) continue;
    const { result } = await untilKnown(() =>
      database.transact(async (tx) => {
        const now = scheduler.now();
        const held = await heldPart(tx, work, { part: part.part, now });
        const applied = await applyInvoices(tx, { namespace, invoices: batch, now, run: run.id });
        const ids = new Set(applied.written.map(({ id }) => id));
        const written = batch.filter(({ id }) => ids.has(id));
        tx.upsert(invoiceRunPart, {
          ...held,
          counts: addCounts(held.counts, countInvoices(written)),
          parked: [...held.parked, ...written.filter(isHeld).map(({ id }) => id)],
        });
        return { written, stale: applied.stale };
      }),
    );
    for (const payer of result.stale) stale.add(payer);
    all.push(...result.written);
  }
  return { written: all, stale: [...stale] };
}

/**
 * Issues what was just written, which nobody else does while the part is held: workers side by side prove different invoices. What cannot be issued
 * yet is left to the end of the run, and to the next one.
 */
async function issueWritten(
  stores: InvoicingStores,
  work: WorkOnRun,
  { part }: InvoiceRunPartRow,
  written: readonly CollectedInvoice[],
): Promise<void> {
  const { namespace, scheduler, signal, pace = BULK } = work;
  const final = written.filter((invoice) => !isHeld(invoice));
  for (let at = 0; at < final.length; at += pace.issuedPerCommit) {
    signal?.throwIfAborted();
    const batch = final.slice(at, at + pace.issuedPerCommit);
    const ready = await prepareCollected(stores, namespace, batch);
    await untilKnown(() =>
      stores.database.transact(async (tx) => {
        const now = scheduler.now();
        const held = await heldPart(tx, work, { part, now });
        const { numbered } = await issuePrepared(tx, namespace, ready, now);
        const counts = addCounts(held.counts, { ...NOTHING_COUNTED, issued: numbered });
        tx.upsert(invoiceRunPart, { ...held, counts });
      }),
    );
  }
}

const isHeld = ({ parkedFor }: CollectedInvoice): boolean => parkedFor.length > 0;

/** Characters of the documents that one transaction writes. */
const TEXT_PER_COMMIT = 8_000_000;
/** An invoice's own rows, beside those of its items. */
const ROWS_PER_INVOICE = 5;

/** What is written together: many small invoices, or a few large ones. */
function* commitsOf(
  invoices: readonly CollectedInvoice[],
  rowsMax: number,
): Generator<CollectedInvoice[], void> {
  let batch: CollectedInvoice[] = [];
  let rows = 0;
  let text = 0;
  for (const invoice of invoices) {
    const { billing, stored } = invoice;
    const ownRows = billing.reduce((sum, { items }) => sum + items.length + 1, ROWS_PER_INVOICE);
    const ownText = stored.inputs.length + stored.content.length;
    if (batch.length > 0 && (rows + ownRows > rowsMax || text + ownText > TEXT_PER_COMMIT)) {
      yield batch;
      [batch, rows, text] = [[], 0, 0];
    }
    batch.push(invoice);
    rows += ownRows;
    text += ownText;
  }
  if (batch.length > 0) yield batch;
}

interface PartEnd {
  readonly failures: readonly PayerFailure[];
  /** Of a dry run: what would have been written. */
  readonly unwritten: RunCounts;
}

async function endPart(
  { database }: InvoicingStores,
  work: WorkOnRun,
  { part: place }: InvoiceRunPartRow,
  { failures, unwritten }: PartEnd,
): Promise<RunCounts> {
  const { result } = await database.transact(async (tx) => {
    const part = await heldPart(tx, work, { part: place, now: work.scheduler.now() });
    const looked = { ...NOTHING_COUNTED, customers: part.payers.length, failed: failures.length };
    const counts = addCounts(addCounts(part.counts, unwritten), looked);
    tx.upsert(invoiceRunPart, { ...part, counts, failures, isDone: true });
    return counts;
  });
  return result;
}

/** Numbers what parts have left behind, and ends the run. Two who end it at once end it once. */
async function finishRun(stores: InvoicingStores, work: WorkOnRun, run: InvoiceRunRow): Promise<void> {
  const { namespace, scheduler, signal, onProgress, pace = BULK } = work;
  const left = run.dryRun
    ? 0
    : await issueInvoices(stores, {
        namespace,
        clock: scheduler.now,
        signal,
        perCommit: pace.issuedPerCommit,
        onIssued: (so) => onProgress?.({ kind: 'issued', issued: so }),
      });
  await untilKnown(() =>
    stores.database.transact(async (tx) => {
      const [current] = await tx.read(invoiceRun, [[namespace, run.id]]);
      if (current === undefined || current.state === 'done') return;
      const { soFar } = await readInvoiceRun(tx, { namespace, id: run.id });
      const finishedAt = scheduler.now();
      const issued = soFar.issued + left;
      tx.upsert(invoiceRun, { ...current, state: 'done', counts: soFar, issued, finishedAt });
      tx.delete(openRun, [namespace, run.id]);
    }),
  );
}
