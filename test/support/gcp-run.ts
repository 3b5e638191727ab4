import type { Suite, Test } from 'mocha';
import { stopSharedEmulators, suitesNotRun, wasSkipped } from './emulators.ts';

/** What surrounds a run of `.mocharc.gcp.json` or `.mocharc.engine.json`: no test is left out but of a suite that says why, and the end of the run repeats the reasons. */

// The clients look for a machine's own credentials else, which nothing here needs, and warn when there are none.
process.env['METADATA_SERVER_DETECTION'] ??= 'none';

export const mochaHooks = {
  afterAll(this: Mocha.Context): void {
    const root = rootOf(this.test?.parent);
    const silent = pendingTests(root).filter((test) => !wasSkipped(test.parent));
    if (silent.length > 0)
      throw new Error(`left out without a reason:\n${silent.map((test) => test.fullTitle()).join('\n')}`);
  },
};

export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedEmulators();
  const suites = suitesNotRun();
  if (suites.length === 0) return;
  process.stdout.write(`  ${suites.length} not run, neither passed nor failed:\n`);
  for (const { suite, reason } of suites) process.stdout.write(`  not run: ${suite}: ${reason}\n`);
}

function rootOf(suite: Suite | undefined): Suite | undefined {
  return suite?.parent === undefined ? suite : rootOf(suite.parent);
}

const pendingTests = (suite: Suite | undefined): Test[] =>
  suite === undefined
    ? []
    : [...suite.tests.filter((test) => test.isPending()), ...suite.suites.flatMap(pendingTests)];
