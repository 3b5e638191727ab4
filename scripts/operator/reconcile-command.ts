import { parseArgs } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayStart, hourStart } from '#domain/instant.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import {
  createReconciliation,
  listDifferences,
  listReconciliations,
  openReconciliations,
  placeOf,
  type DifferencePlace,
  type ReconciliationName,
} from '#infra/reconcile/reconciliations.ts';
import type { DifferenceRow, ReconciliationRow } from '#infra/reconcile/tables.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { workOnReconciliation } from '#pipelines/reconcile/work-on-reconciliation.ts';
import { checkNamespace } from './data-directory.ts';
import { withPlatform } from './open-platform.ts';
import { UsageError, type Invocation, type Terminal } from './terminal.ts';
import { readTimeOption } from './time-option.ts';
import { withPipeline } from './with-pipeline.ts';

export const RECONCILE_HELP = `npm run reconcile -- --from TIME --to TIME [--meter KEY …] [--subject SUBJECT …] [--repair [--trust-view] --reason TEXT]
npm run reconcile -- --list | --resume | --report ID

Compares cells with the raw events, by fingerprint and value, for each subject, version of a meter and day, and tells every difference.

  --repair      writes what differs anew from the events, with an audit entry for each subject's day
  --trust-view  repairs also cells that have more events than the warehouse: say it when the warehouse is known to have lost none
  --resume      goes on with what was cut off
  --report ID   every difference that it found, as JSON lines

It may be done while the platform runs. Exit code 1 when differences are left.
The namespace is "default" unless --namespace names another. The platform is the one in MILLRACE_DATA_DIR (default: .millrace).`;

const OPTIONS = {
  namespace: { type: 'string', default: LOCAL_FEED.namespace },
  from: { type: 'string' },
  to: { type: 'string' },
  meter: { type: 'string', multiple: true },
  subject: { type: 'string', multiple: true },
  repair: { type: 'boolean', default: false },
  'trust-view': { type: 'boolean', default: false },
  reason: { type: 'string', default: '' },
  list: { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  report: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readValues>;
const readValues = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS }).values;

/** Names this command where a change is recorded. */
const PRINCIPAL = 'command:reconcile';
const LISTED = 20;
const PAGE = 500;
/** Differences that are shown at once; the report has more. */
const SHOWN = 20;

interface Run {
  readonly stores: OpenedStores;
  readonly namespace: string;
  readonly values: Values;
  readonly terminal: Terminal;
}

/** `npm run reconcile`. */
export async function reconcileCommand({ args, environment, terminal }: Invocation): Promise<void> {
  const values = readValues(args);
  if (values.help) return terminal.out(`${RECONCILE_HELP}\n`);
  const namespace = checkNamespace(values.namespace);
  await withPlatform({ environment, clock: systemScheduler.now, tag: 'reconcile' }, async (stores) => {
    const run = { stores, namespace, values, terminal };
    if (values.list) {
      for (const row of await listReconciliations(stores.database, namespace, { limit: LISTED }))
        terminal.out(`${tellReconciliation(row)}\n`);
    } else if (values.report !== undefined) await report(run, { namespace, id: values.report });
    else await withPipeline({ environment, terminal }, () => reconcile(run));
  });
}

async function reconcile(run: Run): Promise<void> {
  const { stores, namespace, values } = run;
  const names = values.resume ? await openReconciliations(stores.database, namespace) : [await create(run)];
  let left = 0;
  for (const name of names) left += await finish(run, name);
  if (left > 0) throw new Error(`${left} cells differ from their events`);
}

async function create({ stores, namespace, values }: Run): Promise<ReconciliationName> {
  const [from, to] = [readTimeOption('from', values.from), readTimeOption('to', values.to)];
  if (from === undefined || to === undefined) throw new UsageError('--from and --to are required');
  if (values.repair && values.reason === '')
    throw new UsageError('--reason is missing: it is kept with what is repaired');
  const { result } = await stores.database.transact((tx) =>
    createReconciliation(tx, {
      ...{ namespace, from, to, meters: values.meter, subjects: values.subject },
      repair: values.repair,
      trustView: values['trust-view'],
      ...{ principal: PRINCIPAL, reason: values.reason, now: systemScheduler.now() },
    }),
  );
  return result;
}

/** Returns the differences that are left. */
async function finish({ stores, terminal }: Run, { namespace, id }: ReconciliationName): Promise<number> {
  terminal.note(`reconciliation ${id}\n`);
  const bar = terminal.progress('days of versions compared');
  const row = await workOnReconciliation(stores, {
    ...{ namespace, id, worker: `command-${uuidV7()}`, scheduler: systemScheduler },
    onProgress: bar.update,
  });
  bar.end();
  terminal.out(`${tellReconciliation(row)}\n`);
  for (const difference of await listDifferences(stores.database, { namespace, id }, { limit: SHOWN }))
    terminal.out(`  ${tellDifference(difference)}\n`);
  if (row.differences > SHOWN) terminal.note(`all of them: npm run reconcile -- --report ${id}\n`);
  return row.differences - row.repaired;
}

async function report({ stores, terminal }: Run, name: ReconciliationName): Promise<void> {
  for (let after: DifferencePlace | undefined; ;) {
    const page = await listDifferences(stores.database, name, { after, limit: PAGE });
    for (const row of page) await terminal.write(`${JSON.stringify(row)}\n`);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = placeOf(last);
  }
}

const tellReconciliation = (row: ReconciliationRow): string =>
  `${row.id}  ${formatInstant(dayStart(row.firstDay))} to ${formatInstant(dayStart(row.endDay))}  ${row.state}: ` +
  `${row.compared} subjects' days compared, ${row.differing} differ in ${row.differences} cells, ${row.repaired} repaired` +
  (row.waitsFor === null ? '' : `; waits for ${row.waitsFor}`);

function tellDifference({
  meter,
  version,
  subject,
  day,
  hour,
  group,
  kind,
  outcome,
  stored,
  expected,
}: DifferenceRow): string {
  const when = formatInstant(hour === null ? dayStart(day) : hourStart(hour));
  const tell = (content: typeof stored): string =>
    content === null
      ? 'nothing'
      : `${content.events} events${content.value === null ? '' : ` (${content.value})`}`;
  return `${meter}@${version} ${subject} ${when} ${group} ${kind}: ${tell(stored)}, should be ${tell(expected)}: ${outcome}`;
}
