import { parseArgs } from 'node:util';
import { BACKENDS, type Backend } from '#infra/cloud/backend.ts';
import { join, resolve } from 'node:path';
import { ENGINE_NAMES, type EngineName } from './engine-names.ts';

export interface DemoOptions {
  readonly trace: string | undefined;
  readonly json: boolean;
  readonly twice: boolean;
  readonly seed: number;
  /** What the stores are. */
  readonly backend: Backend;
  /** The engine that the pipeline is a job of; undefined where it is a process of ours. */
  readonly runner: EngineName | undefined;
  /** Where this run keeps its data; made anew by each run. */
  readonly directory: string;
}

const USAGE = `npm run demo -- [options]
  --trace FILE.csv   send a CSV of real usage (TIMESTAMP,ContextTokens,GeneratedTokens) instead of a made-up day
  --twice            send every event twice: the totals stay the same
  --json             print one JSON document at the end
  --seed N           another made-up day
  --backend gcp      on Spanner, Pub/Sub and BigQuery, as emulators: the same, a fortieth of it
  --runner flink     the pipeline as a job on Apache Flink, fetched by Maven and started here; the rest as with --backend gcp
  --runner prism     the same on Prism, Beam's own engine for tests, built with Go`;

/** The options; else says what is wrong with them, or how they are used, and ends the process. */
export function optionsOrExit(args: readonly string[]): DemoOptions {
  try {
    return readOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nUsage: ${USAGE}\n`);
    process.exit(1);
  }
}

/** Throws an error that says what is wrong with them. */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      trace: { type: 'string' },
      json: { type: 'boolean', default: false },
      twice: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      backend: { type: 'string' },
      runner: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error('--seed is a whole number');
  const { backend, runner } = readPlace(values);
  const root = process.env['MILLRACE_DATA_DIR'] ?? '.millrace';
  return {
    trace: values.trace,
    json: values.json,
    twice: values.twice,
    seed,
    backend,
    runner,
    directory: resolve(join(root, backend === 'embedded' ? 'demo' : `demo-${runner ?? backend}`)),
  };
}

/** An engine's workers are many processes, so that it goes with the stores that many can share. */
function readPlace(values: {
  readonly backend?: string;
  readonly runner?: string;
}): Pick<DemoOptions, 'backend' | 'runner'> {
  const runner = ENGINE_NAMES.find((name) => name === values.runner);
  if (values.runner !== undefined && runner === undefined)
    throw new Error(`--runner is one of ${ENGINE_NAMES.join(', ')}`);
  const { backend: given = runner === undefined ? 'embedded' : 'gcp' } = values;
  const backend = BACKENDS.find((name) => name === given);
  if (backend === undefined) throw new Error(`--backend is one of ${BACKENDS.join(', ')}`);
  if (runner !== undefined && backend !== 'gcp') throw new Error('--runner goes with --backend gcp only');
  return { backend, runner };
}
