import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import type { Database } from '#infra/database/database.ts';
import {
  createInvoiceRun,
  openRuns,
  readInvoiceRun,
  type InvoiceRun,
} from '#infra/invoicing/invoice-runs.ts';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { checkNamespace } from './data-directory.ts';
import { startInvoiceWorkers } from './invoice-workers.ts';
import { openPlatform } from './open-platform.ts';
import type { ProgressBar } from './progress-bar.ts';
import { UsageError, type Invocation } from './terminal.ts';

/** One process at a time writes, and more of them only wait for each other. */
const WORKERS_DEFAULT_MAX = 4;
const WORKERS_MAX = 16;
/** A process that starts for fewer is not worth its start. */
const CUSTOMERS_PER_WORKER = 500;

export const INVOICES_HELP = `npm run invoices [-- --namespace NAMESPACE] [--as-of TIME] [--customer KEY …] [--dry-run] [--workers N]

Bills everybody of whom something is due: one invoice for each payer, currency, seller and due moment, numbered without gaps.
A run that was cut off is brought to its end first. With --dry-run nothing is written, and the summary says what would be.
It may be done while the platform runs, by several at once: nothing is billed twice.
Many customers are billed by a process for each core, at most ${WORKERS_DEFAULT_MAX}; --workers says how many.
The namespace is "default" unless another is named. The platform is the one in MILLRACE_DATA_DIR (default: .millrace), or with MILLRACE_BACKEND=gcp that of the settings.`;

/** `npm run invoices`. */
export async function invoicesCommand({ args, environment, terminal }: Invocation): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      namespace: { type: 'string', default: LOCAL_FEED.namespace },
      'as-of': { type: 'string' },
      customer: { type: 'string', multiple: true },
      'dry-run': { type: 'boolean', default: false },
      workers: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return terminal.out(`${INVOICES_HELP}\n`);
  const namespace = checkNamespace(values.namespace);
  const asOf = readTime(values['as-of']);
  const scheduler = systemScheduler;
  const workersMax = readWorkers(values.workers);
  const stores = await openPlatform({ environment, clock: scheduler.now, tag: 'invoices' });
  const { database } = stores;
  const work = async (run: string): Promise<InvoiceRun> => {
    const bar = terminal.progress('customers');
    const total = await countPayers(database, { namespace, run });
    const onCustomers = following(bar, total);
    // This process is one of them.
    const count = Math.min(workersMax, Math.ceil(total / CUSTOMERS_PER_WORKER)) - 1;
    const workers = startInvoiceWorkers({ count, environment, namespace, run, onCustomers });
    try {
      await workOnRun(stores, {
        ...{ namespace, run, worker: `command-${uuidV7()}`, scheduler },
        onProgress: (progress) => {
          if (progress.kind === 'part') onCustomers(progress.counts.customers);
        },
      });
    } finally {
      await workers.end();
    }
    bar.end();
    return readInvoiceRun(database, { namespace, id: run });
  };
  try {
    if (!values['dry-run'])
      for (const { run } of await openRuns(database, namespace)) {
        terminal.note(`going on with run ${run}\n`);
        await work(run);
      }
    const now = scheduler.now();
    const { result } = await database.transact((tx) =>
      createInvoiceRun(tx, {
        namespace,
        asOf,
        customers: values.customer,
        dryRun: values['dry-run'],
        now,
      }),
    );
    terminal.out(tellRun(await work(result.id)));
  } finally {
    await stores.close();
  }
}

function readTime(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const at = parseRfc3339(text)?.at;
  if (at === undefined)
    throw new UsageError(`--as-of ${text} is no RFC 3339 time with an offset, such as 2026-03-01T00:00:00Z`);
  return at;
}

function readWorkers(text: string | undefined): number {
  if (text === undefined) return Math.min(availableParallelism(), WORKERS_DEFAULT_MAX);
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= WORKERS_MAX) return workers;
  throw new UsageError(`--workers ${text} is not a number from 1 to ${WORKERS_MAX}`);
}

/** How many customers a run looks at, so that its progress can be told. */
async function countPayers(
  database: Database,
  { namespace, run }: { readonly namespace: string; readonly run: string },
): Promise<number> {
  const { payers } = await readInvoiceRun(database, { namespace, id: run });
  if (payers !== null) return payers.length;
  let count = 0;
  for await (const { parent } of database.scan(customerTable, { prefix: [namespace] }))
    if (parent === null) count++;
  return count;
}

function following(bar: ProgressBar, total: number): (customers: number) => void {
  let done = 0;
  return (customers) => {
    done += customers;
    bar.update(Math.min(done, total), total);
  };
}

const number = (count: number): string => count.toLocaleString('en-US');

/** A line each: how much, how it went, and what needs a person. */
function tellRun({ id, asOf, dryRun, soFar, issued, parked, failures }: InvoiceRun): string {
  const amounts = Object.entries(soFar.amounts).map(([currency, amount]) => `${amount} ${currency}`);
  const lines = [
    `${dryRun ? 'Would be billed' : 'Billed'} as of ${formatInstant(asOf)} (run ${id})`,
    `  customers  ${number(soFar.customers)}`,
    `  invoices   ${number(soFar.invoices)} with ${number(soFar.lines)} lines${amounts.length === 0 ? '' : `: ${amounts.join(', ')}`}`,
    ...(dryRun ? [] : [`  issued     ${number(issued)}`]),
    `  parked     ${number(soFar.parked)}${soFar.parked > 0 ? ', waiting for a decision:' : ''}`,
    ...parked.map((each) => `             ${each}`),
    `  failed     ${number(soFar.failed)}${soFar.failed > 0 ? ', not billed:' : ''}`,
    ...failures.map(({ customer, code, message }) => `             ${customer}: ${message} (${code})`),
  ];
  return `${lines.join('\n')}\n`;
}
