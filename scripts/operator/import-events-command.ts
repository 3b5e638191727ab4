import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { foreseeImport } from '#infra/imports/foresee-import.ts';
import {
  applyImport,
  createImport,
  listImports,
  openImports,
  preparePart,
  putPart,
  readImport,
  undoImport,
} from '#infra/imports/imports.ts';
import { prepareUndo } from '#infra/imports/prepare-undo.ts';
import type { ImportName, ImportRow } from '#infra/imports/tables.ts';
import { workOnImport, type ImportStores } from '#infra/imports/work-on-import.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { askToGoOn } from './ask-to-go-on.ts';
import { commandOrigin, type CommandOrigin } from './command-origin.ts';
import { checkNamespace } from './data-directory.ts';
import { finishCorrection } from './finish-correction.ts';
import { withPlatform } from './open-platform.ts';
import { partsOf } from './import-parts.ts';
import { tellForeseenImport, tellImport } from './tell-import.ts';
import { UsageError, type Invocation, type Terminal } from './terminal.ts';

export const IMPORT_EVENTS_HELP = `npm run import -- --events FILE [--preview | --apply [--yes] [--skip-refused]] --reason TEXT
npm run import -- --resume | --undo ID --reason TEXT | --list

Imports events of whatever age, one CloudEvent as JSON a line, each with its time. It is the way in for what happened more than 45 days ago.
The file is staged, checked and previewed; unless --apply is given, nothing is counted and what was staged stays, to be applied with the API.

  --apply         counts it, once you have seen the preview and said yes (--yes says it beforehand)
  --skip-refused  leaves out lines that are refused, instead of refusing the whole
  --resume        goes on with what was cut off
  --undo ID       takes back all that an import has counted

An event counts once, however often it is imported. It may be done while the platform runs.
The namespace is "default" unless --namespace names another. The platform is the one in MILLRACE_DATA_DIR (default: .millrace).`;

const OPTIONS = {
  namespace: { type: 'string', default: LOCAL_FEED.namespace },
  events: { type: 'string' },
  reason: { type: 'string' },
  preview: { type: 'boolean', default: false },
  apply: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  'skip-refused': { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  undo: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Options that mean this command, and not the import of a whole namespace. */
const OWN = ['--events', '--resume', '--undo', '--list'];
export const meansEvents = (args: readonly string[]): boolean =>
  args.some((arg) => OWN.some((own) => arg === own || arg.startsWith(`${own}=`)));

type Values = ReturnType<typeof readValues>;
const readValues = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS }).values;

const PRINCIPAL = 'command:import';
const LISTED = 20;

interface Run {
  readonly stores: ImportStores;
  readonly namespace: string;
  readonly values: Values;
  readonly terminal: Terminal;
  readonly input: Invocation['input'];
}

/** `npm run import -- --events`. */
export async function importEventsCommand({ args, environment, terminal, input }: Invocation): Promise<void> {
  const values = readValues(args);
  if (values.help) return terminal.out(`${IMPORT_EVENTS_HELP}\n`);
  const namespace = checkNamespace(values.namespace);
  await withPlatform({ environment, clock: systemScheduler.now, tag: 'import' }, (opened) => {
    const stores = { ...opened, catalogues: createCatalogues(opened.database) };
    return chosen({ stores, namespace, values, terminal, input });
  });
}

async function chosen(run: Run): Promise<void> {
  const { stores, namespace, values, terminal } = run;
  const { database } = stores;
  if (values.list) {
    const listed = await inSnapshot(database, (snapshot) =>
      listImports(snapshot, namespace, { limit: LISTED }),
    );
    for (const each of listed) terminal.out(`${tellImport(each)}\n`);
  } else if (values.resume) {
    for (const name of await openImports(database, namespace)) await finish(run, name);
  } else if (values.undo !== undefined) await undo(run, { namespace, id: values.undo });
  else if (values.events !== undefined) await bring(run, values.events);
  else throw new UsageError('--events is missing');
}

async function bring(run: Run, path: string): Promise<void> {
  const { stores, values, terminal } = run;
  const origin = originOf(run);
  const { result: row } = await stores.database.transact(async (tx) =>
    createImport(tx, run.namespace, origin),
  );
  const name = { namespace: row.namespace, id: row.id };
  terminal.note(`import ${row.id}\n`);
  await stageFile(run, name, path);
  terminal.note('looking at the events …\n');
  const now = systemScheduler.now();
  terminal.out(tellForeseenImport(await foreseeImport(stores, name, { now })));
  if (!values.apply || values.preview) return;
  if (!values.yes) await askToGoOn(run, `import these events into ${run.namespace}`);
  await stores.database.transact((tx) =>
    applyImport(tx, { ...name, skipRefused: values['skip-refused'] }, originOf(run)),
  );
  await finish(run, name);
}

async function stageFile({ stores, terminal }: Run, name: ImportName, path: string): Promise<void> {
  const { size } = await stat(path);
  const bar = terminal.progress('staged (bytes)');
  let [part, bytes] = [0, 0];
  for await (const chunk of partsOf(createReadStream(path))) {
    const prepared = await preparePart(stores.database, { ...name, part: ++part }, chunk);
    await stores.database.transact((tx) => putPart(tx, prepared));
    bytes += chunk.length;
    bar.update(Math.min(bytes, size), size);
  }
  bar.end();
}

async function finish({ stores, terminal }: Run, name: ImportName): Promise<void> {
  const { events } = await inSnapshot(stores.database, (snapshot) => readImport(snapshot, name));
  const bar = terminal.progress('counted');
  await workOnImport(stores, {
    ...{ ...name, worker: `command-${uuidV7()}`, scheduler: systemScheduler },
    onProgress: (row) => row.state === 'applying' && bar.update(lookedAt(row), events),
  });
  bar.end();
  const ended = await inSnapshot(stores.database, (snapshot) => readImport(snapshot, name));
  terminal.out(`${tellImport(ended)}\n`);
  if (ended.row.fault !== null) throw new Error(ended.row.fault);
}

const lookedAt = ({ counts }: ImportRow): number =>
  Object.values<number>({ ...counts }).reduce((sum, count) => sum + count, 0);

async function undo(run: Run, name: ImportName): Promise<void> {
  const { stores } = run;
  const origin = originOf(run);
  const prepared = await prepareUndo(stores.database, name);
  const { result } = await stores.database.transact((tx) => undoImport(tx, name, { origin, prepared }));
  const id = typeof result === 'string' ? result : result.id;
  await finishCorrection(run, { namespace: name.namespace, id });
}

const originOf = ({ values }: Run): CommandOrigin => commandOrigin(PRINCIPAL, values.reason);
