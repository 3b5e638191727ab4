import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { renderInvoicePdf } from '#infra/documents/render-invoice-pdf.ts';
import { createInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { readContent } from '#infra/invoicing/read-invoices.ts';
import { invoice, type InvoiceRow } from '#infra/invoicing/tables.ts';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import { openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { costShares, type CostRules } from './cost-shares.ts';
import { summarise, type Figure } from './figure.ts';
import {
  customerKey,
  expectedTotals,
  lastMonth,
  makeMonth,
  NAMESPACE,
  type Month,
} from './invoiced-month.ts';
import { peakResidentBytes, startMeasuring, type Measured } from './measure.ts';

/*
 * What a run of invoices costs, from what is due to the number and the Merkle roots: `npm run invoices` as an operator calls it, and one
 * process by itself, whose CPU, memory and time by kind of work are told. Each run begins with a copy of the same month, and is believed
 * once every invoice is there, numbered without a gap, and comes to what independent sums say.
 */

export interface InvoicesBench {
  readonly rounds: number;
  readonly customers: number;
  /** Of these invoices PDFs are printed. */
  readonly printed: number;
  readonly record: (figure: Figure) => void;
  readonly inDirectory: <Result>(work: (directory: string) => Promise<Result>) => Promise<Result>;
}

/** A process of its own for each: none has the heap or the compiled code of another. */
type Task =
  | { readonly task: 'make' | 'check'; readonly directory: string; readonly month: Month }
  | { readonly task: 'run' | 'profile'; readonly directory: string }
  | { readonly task: 'print'; readonly directory: string; readonly count: number };

type RunFigures = Measured & { readonly peakResidentBytes: number };

const COMMAND = fileURLToPath(new URL('../scripts/operator/invoices.ts', import.meta.url));
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];
const OUTPUT_BYTES_MAX = 10_000_000;

async function inProcess<Result>(task: Task): Promise<Result> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...NODE_OPTIONS,
    fileURLToPath(import.meta.url),
    JSON.stringify(task),
  ]);
  return JSON.parse(stdout) as Result;
}

/** Records invoices a second, CPU and memory an invoice, and where they go. */
export async function benchInvoices(bench: InvoicesBench): Promise<void> {
  const { rounds, customers, printed, record, inDirectory } = bench;
  const month = lastMonth(systemScheduler.now(), customers);
  await inDirectory(async (directory) => {
    const made = join(directory, 'made');
    await inProcess({ task: 'make', directory: made, month });
    const onCopy = async <Result>(run: (copy: string) => Promise<Result>): Promise<Result> => {
      const copy = join(directory, 'copy');
      await cp(made, copy, { recursive: true });
      const result = await run(copy);
      await inProcess({ task: 'check', directory: copy, month });
      return result;
    };
    const commands: number[] = [];
    const alone: RunFigures[] = [];
    for (let round = 0; round < rounds; round++) {
      commands.push(await onCopy(runCommand));
      await rm(join(directory, 'copy'), { recursive: true });
      alone.push(await onCopy((copy) => inProcess<RunFigures>({ task: 'run', directory: copy })));
      await rm(join(directory, 'copy'), { recursive: true });
    }
    const shares = await onCopy((copy) =>
      inProcess<[string, number][]>({ task: 'profile', directory: copy }),
    );
    const pdfs = await inProcess<number>({
      task: 'print',
      directory: join(directory, 'copy'),
      count: printed,
    });
    recordRuns(bench, commands, alone);
    recordShares(bench, alone, shares);
    record(summarise('invoices of the run as PDF, one process', 'PDFs/s', [pdfs]));
  });
}

function recordRuns(
  { customers, record }: InvoicesBench,
  commands: readonly number[],
  alone: readonly RunFigures[],
): void {
  const name = `${customers.toLocaleString('en-US')} invoices of five charges`;
  record(
    summarise(
      `npm run invoices: ${name}`,
      'invoices/s',
      commands.map((seconds) => customers / seconds),
    ),
  );
  const of = (what: string, unit: string, value: (figures: RunFigures) => number): void =>
    record(summarise(`one process: ${what}`, unit, alone.map(value)));
  of(name, 'invoices/s', ({ wallSeconds }) => customers / wallSeconds);
  of('CPU an invoice', 'CPU-µs', ({ cpuSeconds }) => (cpuSeconds * 1e6) / customers);
  of('peak memory', 'MB', (figures) => figures.peakResidentBytes / 1e6);
}

/** Shares are of one run under the profiler; what they are multiplied by is of runs without it. */
function recordShares(
  { customers, record }: InvoicesBench,
  alone: readonly RunFigures[],
  shares: readonly (readonly [string, number])[],
): void {
  const costs = alone.map(({ cpuSeconds }) => (cpuSeconds * 1e6) / customers);
  for (const [kind, share] of shares.toSorted((a, b) => b[1] - a[1])) {
    const named = `of it, ${kind} (${Math.round(share * 100)} %)`;
    record(
      summarise(
        named,
        'CPU-µs',
        costs.map((cost) => cost * share),
      ),
    );
  }
}

/** Seconds from the call to the end, the start of its processes included. */
async function runCommand(directory: string): Promise<number> {
  const begun = performance.now();
  await promisify(execFile)(process.execPath, [...NODE_OPTIONS, COMMAND], {
    env: { ...process.env, MILLRACE_DATA_DIR: directory },
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return (performance.now() - begun) / 1_000;
}

const KINDS: CostRules = [
  ['proofs', /invoicing\/(proof|merkle|issue-)|domain\/invoicing\/merkle|infra\/warehouse|@duckdb/],
  ['writes', /database\/(serial-queue|sqlite\/writer)|invoicing\/(apply|insert|number|document-parts)/],
  ['texts and hashes', /canonical-text|invoice-hash|collected-invoice/],
  [
    'rating',
    /domain\/(pricing|money|invoicing|subscriptions|plans)|invoicing\/(build-drafts|draft-)|decimal/,
  ],
  ['reads', /infra\/(database|usage|customers|subscriptions|catalogue)|domain\/(usage|metering)|invoicing\//],
];

async function answer(task: Task): Promise<unknown> {
  const { directory } = task;
  if (task.task === 'make') return makeMonth(directory, task.month);
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  try {
    switch (task.task) {
      case 'check':
        return await check(stores, task.month);
      case 'run':
        return await measureRun(stores);
      case 'profile':
        return [...(await costShares(KINDS, () => run(stores)))];
      case 'print':
        return await print(stores, task.count);
    }
  } finally {
    await stores.close();
  }
}

async function run(stores: LocalStores): Promise<void> {
  const asked = { namespace: NAMESPACE, now: systemScheduler.now() };
  const { result } = await stores.database.transact((tx) => createInvoiceRun(tx, asked));
  const worker = { namespace: NAMESPACE, run: result.id, worker: 'bench' };
  await workOnRun(stores, { ...worker, scheduler: systemScheduler });
}

async function measureRun(stores: LocalStores): Promise<RunFigures> {
  const stop = startMeasuring();
  await run(stores);
  return { ...stop(), peakResidentBytes: peakResidentBytes() };
}

const allInvoices = ({ database }: LocalStores): AsyncIterable<InvoiceRow> =>
  database.scan(invoice, { prefix: [NAMESPACE] });

/** Throws if one is missing, waits, or says another total than it should: a wrong run has no speed. */
async function check(stores: LocalStores, month: Month): Promise<void> {
  const expected = expectedTotals(month);
  const numbers = new Set<string>();
  for await (const { customer, date, state, number, totals, merkleRoots } of allInvoices(stores)) {
    if (state !== 'issued' || number === null) throw new Error(`an invoice of ${customer} is ${state}`);
    numbers.add(number);
    if (date !== month.end) continue;
    const cents = Math.round(Number(totals.total) * 100);
    if (cents !== expected.get(customer) || Object.keys(merkleRoots).length === 0)
      throw new Error(`${customer} owes ${totals.total}, and should ${expected.get(customer)} cents`);
    expected.delete(customer);
  }
  if (expected.size > 0) throw new Error(`${expected.size} customers have no invoice`);
  // That of the month before is one more for each.
  const last = [...numbers].sort().at(-1) ?? '';
  const given = month.customers * 2;
  if (numbers.size !== given || !last.endsWith(String(given)))
    throw new Error(`${numbers.size} numbers up to ${last}, and there should be ${given}`);
}

/** PDFs a second, after some that are not counted. */
async function print(stores: LocalStores, count: number): Promise<number> {
  const documents: InvoiceDocument[] = [];
  for await (const row of allInvoices(stores))
    if (row.state === 'issued' && row.lineCount > 1 && row.customer < customerKey(count))
      documents.push({ ...row, state: row.state, content: await readContent(stores.database, row) });
  const print = async (some: readonly InvoiceDocument[]): Promise<void> => {
    for (const document of some) await renderInvoicePdf(document);
  };
  await print(documents.slice(0, Math.ceil(documents.length / 4)));
  const begun = performance.now();
  await print(documents);
  return documents.length / ((performance.now() - begun) / 1_000);
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? '{}') as Task;
  process.stdout.write(JSON.stringify((await answer(task)) ?? null));
}
