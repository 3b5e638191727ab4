import { parseArgs } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayStart } from '#domain/instant.ts';
import { listBackfills, openBackfills, type Backfill, type BackfillName } from '#infra/backfill/backfill.ts';
import { startBackfill } from '#infra/backfill/start-backfill.ts';
import { writeAuditEntry } from '#infra/audit/write-audit-entry.ts';
import { activateMeter, revertMeter } from '#infra/catalogue/activate-meter.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { workOnBackfill } from '#pipelines/backfill/work-on-backfill.ts';
import { checkNamespace } from './data-directory.ts';
import { withPlatform } from './open-platform.ts';
import { UsageError, type Invocation, type Terminal } from './terminal.ts';
import { readTimeOption } from './time-option.ts';
import { withPipeline } from './with-pipeline.ts';

export const BACKFILL_HELP = `npm run backfill -- --meter KEY --version N [--from TIME] [--to TIME] [--activate] [--reason TEXT]
npm run backfill -- --list | --resume | --revert KEY

Tells a version of a meter the events from before it was made. One that is being built is told its past itself; of one that answers questions
already another version is made, so that nobody sees a half of it. The last 390 days unless --from and --to say otherwise, in whole UTC days.

  --activate    lets questions be answered by it once it is complete
  --resume      goes on with what was cut off, or asked for over HTTP
  --revert KEY  lets questions be answered again by the version that was active before

It may be done while the platform runs, by several at once, and broken off: it goes on where it was, with --resume or when a server starts.
The namespace is "default" unless --namespace names another. The platform is the one in MILLRACE_DATA_DIR (default: .millrace).`;

const OPTIONS = {
  namespace: { type: 'string', default: LOCAL_FEED.namespace },
  meter: { type: 'string' },
  version: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  activate: { type: 'boolean', default: false },
  reason: { type: 'string', default: '' },
  list: { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  revert: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readValues>;
const readValues = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS }).values;

/** Names this command where a change is recorded. */
const PRINCIPAL = 'command:backfill';

interface Run {
  readonly stores: OpenedStores;
  readonly namespace: string;
  readonly values: Values;
  readonly terminal: Terminal;
}

/** `npm run backfill`. */
export async function backfillCommand({ args, environment, terminal }: Invocation): Promise<void> {
  const values = readValues(args);
  if (values.help) return terminal.out(`${BACKFILL_HELP}\n`);
  const namespace = checkNamespace(values.namespace);
  await withPlatform({ environment, clock: systemScheduler.now, tag: 'backfill' }, async (stores) => {
    const run = { stores, namespace, values, terminal };
    if (values.list) {
      for (const backfill of await listBackfills(stores.database, namespace))
        terminal.out(`${tell(backfill)}\n`);
    } else if (values.revert !== undefined) await revert(run, values.revert);
    else if (values.resume) await withPipeline({ environment, terminal }, () => resume(run));
    else {
      const backfill = await start(run);
      await withPipeline({ environment, terminal }, () => finish(run, backfill));
      if (values.activate) await activate(run, backfill);
    }
  });
}

async function resume(run: Run): Promise<void> {
  for (const backfill of await openBackfills(run.stores.database, run.namespace)) await finish(run, backfill);
}

async function start({ stores, namespace, values }: Run): Promise<Backfill> {
  const { meter: key, version } = values;
  if (key === undefined || version === undefined) throw new UsageError('--meter and --version are required');
  if (!/^[1-9]\d{0,8}$/.test(version)) throw new UsageError(`--version ${version} is no whole number from 1`);
  const [from, to] = [readTimeOption('from', values.from), readTimeOption('to', values.to)];
  const origin = { principal: PRINCIPAL, reason: values.reason, now: systemScheduler.now() };
  const { result } = await stores.database.transact((tx) =>
    startBackfill(tx, { namespace, key, version: Number(version), from, to, ...origin }),
  );
  return result.backfill;
}

async function finish({ stores, terminal }: Run, { namespace, meter, version }: BackfillName): Promise<void> {
  terminal.note(`backfill of version ${version} of ${meter}\n`);
  const bar = terminal.progress('parts counted');
  let told: string | undefined;
  const backfill = await workOnBackfill(stores, {
    ...{ namespace, meter, version, worker: `command-${uuidV7()}`, scheduler: systemScheduler },
    onProgress: (now) => {
      if (now.parts > 0) bar.update(now.partsDone, now.parts);
      if (now.state !== told && now.state !== 'counting') terminal.note(`${now.state} …\n`);
      told = now.state;
    },
  });
  bar.end();
  terminal.out(`${tell(backfill)}\n`);
  if (backfill.state !== 'complete')
    throw new Error(`cells and events differ: npm run reconcile -- --report ${backfill.reconciliation}`);
}

async function activate(
  { stores, terminal }: Run,
  { namespace, meter: key, version }: Backfill,
): Promise<void> {
  const now = systemScheduler.now();
  await stores.database.transact(async (tx) => {
    await activateMeter(tx, { namespace, key, version, now });
    const entry = { namespace, principal: PRINCIPAL, reason: '', now, target: key, details: { version } };
    writeAuditEntry(tx, { ...entry, action: 'meter.activate' });
  });
  terminal.out(
    `version ${version} of ${key} answers questions now; for 7 days: npm run backfill -- --revert ${key}\n`,
  );
}

async function revert({ stores, namespace, terminal, values }: Run, key: string): Promise<void> {
  const now = systemScheduler.now();
  const { result } = await stores.database.transact(async (tx) => {
    const active = await revertMeter(tx, { namespace, key, now });
    const entry = { namespace, principal: PRINCIPAL, reason: values.reason, now, target: key };
    writeAuditEntry(tx, { ...entry, action: 'meter.revert', details: { to: active.version } });
    return active;
  });
  terminal.out(`version ${result.version} of ${key} answers questions again\n`);
}

const tell = (of: Backfill): string =>
  `${of.meter}@${of.version}  ${formatInstant(dayStart(of.firstDay))} to ${formatInstant(dayStart(of.endDay))}  ${of.state}: ` +
  `${of.partsDone} of ${of.parts} parts, ${of.events} events` +
  (of.unmeasured === 0 ? '' : `, ${of.unmeasured} of them without a value to measure`) +
  (of.waitsFor === null ? '' : `; waits for ${of.waitsFor}`);
