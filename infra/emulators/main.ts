import { parseArgs } from 'node:util';
import { bigqueryBinary } from './bigquery-binary.ts';
import { EmulatorUnavailable, isRunning, parseEmulatorNames, type Emulator } from './emulator.ts';
import { openEmulators, variablesOf } from './open-emulators.ts';

/**
 * `npm run emulators [-- --only spanner,pubsub,bigquery] [--json]`: finds the emulators or starts them, says what it did, prints what to
 * export, and stays until it is told to stop (SIGINT, SIGTERM, SIGHUP). `--prepare` builds what has to be built, and ends. Answers on
 * standard output, talks on standard error. Exit code 1 when none of them can be had, or what was asked for makes no sense.
 */
const USAGE = 'npm run emulators [-- --only spanner,pubsub,bigquery] [--json] [--prepare]';

const environment = process.env;
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const answer = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      prepare: { type: 'boolean', default: false },
    },
  });
  const names = parseEmulatorNames(values.only);
  if (!values.prepare) await serve(await openEmulators(names, { environment, say }), values.json);
  else if (names.includes('bigquery')) await prepare();
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\nUsage: ${USAGE}`);
  process.exitCode = 1;
}

/** Whether it succeeded or not, whoever needs the emulator finds out by itself. */
async function prepare(): Promise<void> {
  try {
    const { path } = await bigqueryBinary({ environment, say });
    say(`bigquery: ready to start: ${path}`);
  } catch (error) {
    if (!(error instanceof EmulatorUnavailable)) throw error;
    say(`bigquery: cannot be prepared: ${error.message}`);
  }
}

async function serve(emulators: readonly Emulator[], json: boolean): Promise<void> {
  const toldToStop = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const running = emulators.filter(isRunning);
  const variables = variablesOf(emulators, environment);
  if (json) {
    answer(JSON.stringify({ emulators, variables }));
  } else {
    for (const emulator of emulators) say(describe(emulator));
    for (const [name, value] of Object.entries(variables)) answer(`export ${name}=${value}`);
  }
  if (running.length === 0) {
    process.exitCode = 1;
    return;
  }
  say('Ctrl-C stops what was started here.');
  // The promise alone would not keep the process alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  await toldToStop;
  clearInterval(alive);
  await Promise.all(running.map(({ stop }) => stop()));
}

function describe(emulator: Emulator): string {
  const told = isRunning(emulator)
    ? `${emulator.origin}: ${emulator.what}`
    : `not available: ${emulator.reason}`;
  return `${emulator.name.padEnd(9)} ${told}`;
}
