import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const urlOf = (path: string): string => new URL(`../../../${path}`, import.meta.url).href;

/**
 * Opens the worker that its environment describes, as the first DoFn of a process does, and says which stores' clients were loaded. That of Pub/Sub is left
 * out: the SDK itself brings it.
 */
const PROGRAM = `
  import { createRequire } from 'node:module';
  await import('${urlOf('pipelines/beam/compat.ts')}');
  await import('${urlOf('pipelines/portable/stages.ts')}');
  const { cache } = createRequire('${import.meta.url}');
  const loaded = (part) => Object.keys(cache).some((path) => path.includes('/node_modules/' + part));
  const seen = () => ({ cloud: loaded('@google-cloud/spanner/') || loaded('@google-cloud/bigquery'), embedded: loaded('@duckdb/') });
  const before = seen();
  const { openedWorker } = await import('${urlOf('pipelines/portable/portable-workers.ts')}');
  const worker = await openedWorker('environment');
  const opened = seen();
  await worker.close();
  console.log(JSON.stringify({ before, opened }));
  process.exit();
`;

describe('the worker that an environment describes', () => {
  it('loads the clients of its own stores and of no others, which would be memory of every worker', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-worker-'));
    const variables = {
      MILLRACE_BACKEND: 'embedded',
      MILLRACE_DATA_DIR: directory,
      MILLRACE_LOG_LEVEL: 'error',
    };
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM],
        { env: { ...process.env, ...variables } },
      );
      expect(JSON.parse(stdout)).to.deep.equal({
        before: { cloud: false, embedded: false },
        opened: { cloud: false, embedded: true },
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
