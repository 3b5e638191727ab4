import { parseArgs } from 'node:util';
import { BACKENDS, type Backend } from '#infra/cloud/backend.ts';
import { join, resolve } from 'node:path';

export interface DemoOptions {
  readonly trace: string | undefined;
  readonly json: boolean;
  readonly twice: boolean;
  readonly seed: number;
  /** What the stores are. */
  readonly backend: Backend;
  /** Where this run keeps its data; made anew by each run. */
  readonly directory: string;
}

const USAGE = `npm run demo -- [options]
  --trace FILE.csv   send a CSV of real usage (TIMESTAMP,ContextTokens,GeneratedTokens) instead of a made-up day
  --twice            send every event twice: the totals stay the same
  --json             print one JSON document at the end
  --seed N           another made-up day
  --backend gcp      on Spanner, Pub/Sub and BigQuery, as emulators: the same, a fortieth of it`;

export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      trace: { type: 'string' },
      json: { type: 'boolean', default: false },
      twice: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      backend: { type: 'string', default: 'embedded' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error('--seed is a whole number');
  const backend = BACKENDS.find((name) => name === values.backend);
  if (backend === undefined) throw new Error(`--backend is one of ${BACKENDS.join(', ')}`);
  const root = process.env['MILLRACE_DATA_DIR'] ?? '.millrace';
  return {
    trace: values.trace,
    json: values.json,
    twice: values.twice,
    seed,
    backend,
    directory: resolve(join(root, backend === 'embedded' ? 'demo' : `demo-${backend}`)),
  };
}
