import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { openLocal } from '#infra/local/open-local.ts';
import { startPipeline } from '#infra/local/start/platform.ts';
import { readStartSettings } from '#infra/local/start/settings.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { checkExport, type CheckedExport } from '#infra/transfer/check-export.ts';
import { importNamespace, type Imported } from '#infra/transfer/import-namespace.ts';
import { checkNamespace, dataDirectory } from './data-directory.ts';
import { IMPORT_EVENTS_HELP, importEventsCommand, meansEvents } from './import-events-command.ts';
import { withPartFile } from './part-file.ts';
import { tellLines } from './tell-lines.ts';
import type { Invocation, Terminal } from './terminal.ts';

export const IMPORT_HELP = `npm run import -- --namespace NAMESPACE --in FILE [--skip-too-old]

Takes what "npm run export" wrote into a namespace, which should be a new one: meters that are there already would count what comes.
Without --in it is read from standard input. The whole file is checked before anything is changed.
Broken off, it can be run again: what is there already is left alone, and nothing is counted twice.

  --skip-too-old  events that happened more than 45 days ago cannot be imported; with this the others are, without it none

It may be done while the platform runs. The platform is the one in MILLRACE_DATA_DIR (default: .millrace).`;

/** `npm run import`. Fails when any event of the file does not count in the end, but for those that may be skipped. */
export async function importCommand(invocation: Invocation): Promise<void> {
  if (meansEvents(invocation.args)) return importEventsCommand(invocation);
  return importWhole(invocation);
}

async function importWhole({ args, environment, terminal, input }: Invocation): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      namespace: { type: 'string' },
      in: { type: 'string' },
      'skip-too-old': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return terminal.out(`${IMPORT_HELP}\n\n${IMPORT_EVENTS_HELP}\n`);
  const namespace = checkNamespace(values.namespace);
  const directory = dataDirectory(environment);
  const bring = (path: string): Promise<void> =>
    checkAndBring(path, {
      namespace,
      skipTooOld: values['skip-too-old'],
      environment: { ...environment, MILLRACE_DATA_DIR: directory },
      terminal,
    });
  if (values.in !== undefined) return bring(resolve(values.in));
  // What is read more than once has to be a file.
  await withPartFile(join(directory, `import-${randomUUID()}.part`), async (spool) => {
    await pipeline(input(), createWriteStream(spool));
    await bring(spool);
  });
}

async function checkAndBring(path: string, bringing: Bringing): Promise<void> {
  const file = await check(path, bringing);
  report(await bring(file, bringing), bringing);
}

async function check(path: string, { namespace, terminal }: Bringing): Promise<CheckedExport> {
  const { size } = await stat(path);
  const bar = terminal.progress('checked (bytes)');
  const file = await checkExport(path, {
    namespace,
    now: systemScheduler.now(),
    onProgress: (bytes) => bar.update(bytes, size),
  });
  bar.end();
  terminal.note(`The file is whole: ${tellLines(file.lines)} of ${file.header.namespace}\n`);
  return file;
}

interface Bringing {
  readonly namespace: string;
  readonly skipTooOld: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
}

/** With a pipeline of its own, so that it makes no difference whether a server runs. */
async function bring(
  file: CheckedExport,
  { namespace, skipTooOld, environment, terminal }: Bringing,
): Promise<Imported> {
  const scheduler = systemScheduler;
  const settings = readStartSettings(environment);
  const stores = await openLocal({ directory: settings.directory, clock: scheduler.now });
  try {
    const counting = await startPipeline(settings, { scheduler, say: (line) => terminal.note(`${line}\n`) });
    const bars = { brought: terminal.progress('brought in'), counted: terminal.progress('counted') };
    try {
      return await importNamespace({
        database: stores.database,
        topic: stores.topics.api,
        file,
        namespace,
        skipTooOld,
        scheduler,
        onProgress: (stage, events) => {
          const total = file.lines.event - file.tooOld;
          bars[stage].update(events, total);
          if (events === total) bars[stage].end();
        },
      });
    } finally {
      await counting.stop();
    }
  } finally {
    await stores.close();
  }
}

function report(imported: Imported, { namespace, terminal }: Bringing): void {
  const { published, counted, voided, tooOld, faults, faulty } = imported;
  const parts = [
    `${counted} events count in ${namespace}`,
    `${published} of them came with this run`,
    ...(voided > 0 ? [`${voided} are void there and stay so`] : []),
    ...(tooOld > 0 ? [`${tooOld} were too old and skipped`] : []),
  ];
  terminal.note(`${parts.join('; ')}\n`);
  if (faulty > 0) throw new Error([`${faulty} events do not count as they should:`, ...faults].join('\n  '));
}
