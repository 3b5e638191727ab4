import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EngineUnavailable } from '#infra/engines/engine.ts';
import { ENGINE_NAMES, type EngineName } from '#pipelines/demo/engine-names.ts';
import { ENGINES } from '#pipelines/demo/portable-pipeline.ts';
import { startChild, type Child } from '#test/support/child-process.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { usePrepared } from '#test/support/engines.ts';

const DEMO = resolve(import.meta.dirname, '../../../pipelines/demo/main.ts');
/** Of a trace: fewer than the day has, so that this is short. */
const ROWS = 600;
const DEMO_MS_MAX = 400_000;

/** A row a second, of requests that differ. */
const traceOf = (rows: number): string =>
  [
    'TIMESTAMP,ContextTokens,GeneratedTokens',
    ...Array.from({ length: rows }, (_, row) => {
      const time = new Date(Date.UTC(2023, 10, 16, 18) + row * 1_000).toISOString();
      return `${time.slice(0, 10)} ${time.slice(11, 23)},${100 + (row % 37)},${1 + (row % 11)}`;
    }),
  ].join('\n');

const canBeHad = (engine: EngineName): Promise<boolean> =>
  ENGINES[engine].prepare({ environment: process.env, say: () => undefined }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof EngineUnavailable) return false;
      throw error;
    },
  );

describe('npm run demo', function () {
  this.timeout(DEMO_MS_MAX);
  const emulators = useEmulators();
  const demos = new Map<EngineName, Child>();
  let directory: string;

  // Side by side: each waits more than it computes, for engines that start and for watermarks.
  before('demos', async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
    const trace = join(directory, 'requests.csv');
    await writeFile(trace, traceOf(ROWS));
    for (const runner of ENGINE_NAMES)
      if (await canBeHad(runner)) {
        const environment = { ...emulators.environment, MILLRACE_DATA_DIR: directory };
        demos.set(
          runner,
          startChild(DEMO, ['--runner', runner, '--trace', trace], { keepOutput: true, environment }),
        );
      }
  });
  after(async () => {
    await Promise.all([...demos.values()].map((demo) => demo.kill()));
    await rm(directory, { recursive: true, force: true });
  });

  for (const runner of ENGINE_NAMES)
    describe(`--runner ${runner}`, () => {
      usePrepared(ENGINES[runner].prepare);

      it('ends with exit code 0: a worker of the job was killed, and totals, refusals and invoice are those of the independent count', async () => {
        const demo = demos.get(runner);
        const exit = await demo?.exited;
        const said = `${demo?.outputText()}\n${demo?.errorText()}`;
        expect(exit, said).to.deep.equal({ code: 0, signal: null });
      });
    });
});
