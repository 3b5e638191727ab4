import { parseArgs } from 'node:util';
import {
  CORRECTION_ACTIONS,
  type CorrectionAction,
  type CorrectionChange,
  type CorrectionFilter,
} from '#domain/corrections/correction.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import {
  cancelCorrection,
  createCorrection,
  listCorrections,
  openCorrections,
  undoCorrection,
} from '#infra/corrections/corrections.ts';
import { foreseeCorrection } from '#infra/corrections/foresee-correction.ts';
import { prepareCorrection, type PreparedCorrection } from '#infra/corrections/prepare-correction.ts';
import type { CorrectionStores } from '#infra/corrections/work-on-correction.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { askToGoOn } from './ask-to-go-on.ts';
import { commandOrigin, type CommandOrigin } from './command-origin.ts';
import { checkNamespace } from './data-directory.ts';
import { finishCorrection } from './finish-correction.ts';
import { withPlatform } from './open-platform.ts';
import { tellCorrection, tellForeseen } from './tell-correction.ts';
import { readTimeOption } from './time-option.ts';
import { UsageError, type Invocation, type Terminal } from './terminal.ts';

export const VOID_HELP = `npm run void -- --from TIME --to TIME [conditions] [--preview | --apply --reason TEXT [--yes]]
npm run void -- --undo ID --reason TEXT | --cancel ID --reason TEXT | --resume | --list

Takes back all events that happened in [from, to) and meet every condition:
  --type TYPE   --source SOURCE   --subject SUBJECT (repeatable)   --customer KEY   --import ID
  --where CEL            over data, source, subject and id, such as "data.region == 'eu'"
  --committed-from TIME  --committed-to TIME    when they were counted

  --preview   says what it would do and changes nothing; this is what is done unless --apply is given
  --apply     does it, once you have seen the preview and said yes (--yes says it beforehand)
  --action restore       brings events back that are void
  --action amend --change JSON   puts a changed event in the place of each, such as
              '{"multiply": [{"path": "bytes", "by": "1024"}]}', '{"subject": "acme"}', '{"data": {"unit": "kB"}}'
  --undo ID   brings back exactly what that correction changed
  --resume    goes on with what was cut off

It may be done while the platform runs, and broken off: it goes on where it was, with --resume or when a server starts.
The namespace is "default" unless --namespace names another. The platform is the one in MILLRACE_DATA_DIR (default: .millrace).`;

const OPTIONS = {
  namespace: { type: 'string', default: LOCAL_FEED.namespace },
  from: { type: 'string' },
  to: { type: 'string' },
  type: { type: 'string' },
  source: { type: 'string' },
  subject: { type: 'string', multiple: true },
  customer: { type: 'string' },
  import: { type: 'string' },
  where: { type: 'string' },
  'committed-from': { type: 'string' },
  'committed-to': { type: 'string' },
  action: { type: 'string', default: 'void' },
  change: { type: 'string' },
  reason: { type: 'string' },
  preview: { type: 'boolean', default: false },
  apply: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  undo: { type: 'string' },
  cancel: { type: 'string' },
  resume: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readValues>;
const readValues = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS }).values;

/** Names this command where a change is recorded. */
const PRINCIPAL = 'command:void';
const LISTED = 20;

interface Run {
  readonly stores: CorrectionStores;
  readonly namespace: string;
  readonly values: Values;
  readonly terminal: Terminal;
  readonly input: Invocation['input'];
}

/** `npm run void`. */
export async function voidCommand({ args, environment, terminal, input }: Invocation): Promise<void> {
  const values = readValues(args);
  if (values.help) return terminal.out(`${VOID_HELP}\n`);
  const namespace = checkNamespace(values.namespace);
  await withPlatform({ environment, clock: systemScheduler.now, tag: 'void' }, (opened) => {
    const stores = { ...opened, catalogues: createCatalogues(opened.database) };
    return chosen({ stores, namespace, values, terminal, input });
  });
}

async function chosen(run: Run): Promise<void> {
  const { stores, namespace, values, terminal } = run;
  if (values.list) {
    for (const row of await listCorrections(stores.database, namespace, { limit: LISTED }))
      terminal.out(`${tellCorrection(row)}\n`);
  } else if (values.resume) {
    for (const name of await openCorrections(stores.database, namespace)) await finishCorrection(run, name);
  } else if (values.undo !== undefined) await end(run, values.undo, undoCorrection);
  else if (values.cancel !== undefined) await end(run, values.cancel, cancelCorrection);
  else await correct(run);
}

async function end(
  run: Run,
  id: string,
  change: typeof undoCorrection | typeof cancelCorrection,
): Promise<void> {
  const name = { namespace: run.namespace, id };
  const origin = originOf(run);
  await run.stores.database.transact((tx) => change(tx, name, origin));
  await finishCorrection(run, name);
}

async function correct(run: Run): Promise<void> {
  const { stores, namespace, values, terminal, input } = run;
  const prepared = await prepareCorrection(stores.database, { namespace, ...requestOf(values) });
  terminal.out(await foreseen(stores, prepared, terminal));
  if (!values.apply || values.preview) return;
  const origin = originOf(run);
  if (!values.yes) await askToGoOn({ terminal, input }, `${prepared.action} these events of ${namespace}`);
  const { result } = await stores.database.transact(async (tx) => createCorrection(tx, prepared, origin));
  await finishCorrection(run, result);
}

async function foreseen(
  stores: CorrectionStores,
  prepared: PreparedCorrection,
  terminal: Terminal,
): Promise<string> {
  terminal.note('looking at the events …\n');
  return tellForeseen(prepared.action, await foreseeCorrection(stores, prepared));
}

const originOf = ({ values }: Run): CommandOrigin => commandOrigin(PRINCIPAL, values.reason);

function requestOf(values: Values): {
  action: CorrectionAction;
  filter: CorrectionFilter;
  change?: CorrectionChange;
} {
  const action = CORRECTION_ACTIONS.find((each) => each === values.action);
  if (action === undefined)
    throw new UsageError(`--action ${values.action} is none of ${CORRECTION_ACTIONS.join(', ')}`);
  const [from, to] = [readTimeOption('from', values.from), readTimeOption('to', values.to)];
  if (from === undefined || to === undefined) throw new UsageError('--from and --to are required');
  const { type, source, customer, where, subject: subjects, import: brought } = values;
  const committedFrom = readTimeOption('committed-from', values['committed-from']);
  const committedTo = readTimeOption('committed-to', values['committed-to']);
  const filter = {
    from,
    to,
    type,
    source,
    subjects,
    customer,
    where,
    import: brought,
    committedFrom,
    committedTo,
  };
  return { action, filter, ...(values.change === undefined ? {} : { change: readChange(values.change) }) };
}

/** As it is written, where a number stands as its own text. */
interface WrittenChange {
  readonly data?: unknown;
  readonly multiply?: readonly { readonly path: string; readonly by: unknown }[];
}

/** Numbers of the patch keep their digits: its text is cut out of the JSON by the language itself. */
function readChange(text: string): CorrectionChange {
  try {
    const raw = JSON as JSON & { rawJSON(text: string): unknown };
    const exact = JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' ? raw.rawJSON(context?.source ?? String(value)) : value,
    ) as WrittenChange;
    const plain = JSON.parse(text) as CorrectionChange;
    const unknown = Object.keys(plain).filter((name) => !CHANGES.has(name));
    if (unknown.length > 0) throw new UsageError(`--change has no ${unknown.join(', ')}`);
    const multiply = exact.multiply?.map(({ path, by }) => ({
      path,
      by: typeof by === 'string' ? by : JSON.stringify(by),
    }));
    return {
      ...plain,
      ...(exact.data === undefined ? {} : { data: JSON.stringify(exact.data) }),
      ...(multiply === undefined ? {} : { multiply }),
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--change is not a JSON document as the help shows it`);
  }
}

const CHANGES: ReadonlySet<string> = new Set(['type', 'subject', 'data', 'multiply']);
