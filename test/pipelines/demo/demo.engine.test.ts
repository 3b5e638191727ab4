import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { prismBinary } from '#infra/engines/prism/prism-binary.ts';
import { startChild } from '#test/support/child-process.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { usePrepared } from '#test/support/engines.ts';
import { inLocalDirectory } from '#test/support/local-stores.ts';

const DEMO = resolve(import.meta.dirname, '../../../pipelines/demo/main.ts');
/** Of a trace: fewer than the day has, so that this is short. */
const ROWS = 600;
const DEMO_MS_MAX = 280_000;

/** A row a second, of requests that differ. */
const traceOf = (rows: number): string =>
  [
    'TIMESTAMP,ContextTokens,GeneratedTokens',
    ...Array.from({ length: rows }, (_, row) => {
      const time = new Date(Date.UTC(2023, 10, 16, 18) + row * 1_000).toISOString();
      return `${time.slice(0, 10)} ${time.slice(11, 23)},${100 + (row % 37)},${1 + (row % 11)}`;
    }),
  ].join('\n');

describe('npm run demo -- --runner prism', () => {
  const emulators = useEmulators();
  usePrepared(prismBinary);

  it('ends with exit code 0: a worker of the job was killed, and totals, refusals and invoice are those of the independent count', () =>
    inLocalDirectory(async (directory, { defer }) => {
      const trace = join(directory, 'requests.csv');
      await writeFile(trace, traceOf(ROWS));
      const demo = startChild(DEMO, ['--runner', 'prism', '--trace', trace], {
        keepOutput: true,
        environment: { ...emulators.environment, MILLRACE_DATA_DIR: directory },
      });
      defer(() => demo.kill());
      expect(await demo.exited, `${demo.outputText()}\n${demo.errorText()}`).to.deep.equal({
        code: 0,
        signal: null,
      });
    })).timeout(DEMO_MS_MAX);
});
