import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import { argumentsFor } from '#pipelines/beam/sibling-workers.ts';
import { eventually } from '#test/support/eventually.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';
import type { FnApiRunner, HarnessOptions } from '#test/support/fn-api-harness.ts';
import { TearDown, TellOptions, ThrowAside } from './life-stages.ts';

const modules = ['millrace/test/pipelines/beam/life-stages'];
const WORKER_SH = fileURLToPath(new URL('../../../pipelines/beam/worker.sh', import.meta.url));
const PIPED: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe'];

async function withRunner<T>(options: HarnessOptions, use: (runner: FnApiRunner) => Promise<T>): Promise<T> {
  const runner = await startFnApiRunner(options);
  try {
    return await use(runner);
  } finally {
    await runner.close();
  }
}

const tearDownStage = (runner: FnApiRunner) =>
  runner.stage((source) => apply('tear down', source, asyncParDo(new TearDown())));

const messagesIn = (runner: FnApiRunner): string[] =>
  runner
    .stderr()
    .trim()
    .split('\n')
    // The SDK has a word of its own at the end of the control stream.
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { message: string }).message);

/** After its greeting: DoFns first, then the work for the end, of which one part fails. */
function expectOrderlyEnd(runner: FnApiRunner, reason?: string): void {
  const [greeting, ...rest] = messagesIn(runner);
  expect(greeting).to.match(/^worker worker-1 serves/);
  const [last, ...before] = rest.toReversed();
  expect(last).to.match(/^the worker's end failed: Error: could not give back/);
  const asked = reason === undefined ? [] : [`worker worker-1 ends: ${reason}`];
  expect(before.toReversed()).to.deep.equal([...asked, 'torn down', 'gave back']);
}

describe('a worker and what it was told', () => {
  it('has the options of the pipeline before its modules load, and their variables beneath its own', async () => {
    const options = {
      'beam:option:job_name:v1': 'usage',
      'beam:option:millrace_environment:v1': { MILLRACE_TEST_REGION: 'north', PATH: 'overwritten' },
    };
    for (const provisioned of [false, true]) {
      await withRunner({ modules, options, provisioned }, async (runner) => {
        const stage = runner.stage((source) => apply('tell', source, asyncParDo(new TellOptions())));
        expect((await runner.run(stage, [1])).outputs).to.deep.equal(['usage', 'north', false]);
        expect(runner.stderr()).to.not.contain('north');
      });
    }
  });

  it('refuses an environment that is no object of texts, without saying what is in it', async () => {
    await withRunner({ modules, options: { millrace_environment: 'secret' } }, async (runner) => {
      expect(await runner.exited()).to.equal(1);
      expect(runner.log.join('\n')).to.contain('millrace_environment is no object');
      expect(runner.stderr()).to.not.contain('secret');
    });
  });
});

describe('the end of a worker', () => {
  it('tears the DoFns down and does the work for the end when the runner ends the control stream', async () => {
    await withRunner({ modules }, async (runner) => {
      await runner.run(tearDownStage(runner), [1]);
      await runner.endControl();
      expect(await runner.exited()).to.equal(0);
      expectOrderlyEnd(runner);
    });
  });

  it('is as orderly when a signal asks for it', async () => {
    await withRunner({ modules }, async (runner) => {
      await runner.run(tearDownStage(runner), [1]);
      runner.process.kill('SIGTERM');
      expect(await runner.exited()).to.equal(0);
      expectOrderlyEnd(runner, 'SIGTERM');
    });
  });

  it('comes by itself when the process that started it is killed', async () => {
    const launch: HarnessOptions['launch'] = (args) =>
      // The shell does not become the worker, as it is not the last thing that it does.
      spawn('/bin/sh', ['-c', '"$@"; true', 'parent', WORKER_SH, ...args], { stdio: PIPED });
    await withRunner({ modules, launch }, async (runner) => {
      await runner.run(tearDownStage(runner), [1]);
      runner.process.kill('SIGKILL');
      // Its output stays open for as long as the worker lives.
      await runner.exited();
      expectOrderlyEnd(runner, 'its parent has died');
    });
  });

  it('does not come with an error that nobody caught: the bundles that run fail with it, and both logs have it', async () => {
    await withRunner({ modules }, async (runner) => {
      const stage = runner.stage((source) => apply('aside', source, asyncParDo(new ThrowAside())));
      const error = await runner.run(stage, [0]).catch((failure: unknown) => String(failure));
      expect(error).to.match(/nobody caught[^]*caused by Error: thrown aside/);
      expect((await runner.run(stage, [1])).outputs).to.deep.equal([1]);
      await eventually('the runner has the line', () =>
        /1 bundle\(s\) fail with it: Error: thrown aside/.test(runner.log.join('\n')),
      );
      expect(runner.stderr()).to.contain('thrown aside');
    });
  });
});

describe('the command of a worker', () => {
  it('becomes the worker, also through links', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-worker-'));
    try {
      await symlink(WORKER_SH, join(directory, 'worker.sh'));
      await symlink('worker.sh', join(directory, 'boot'));
      const launch: HarnessOptions['launch'] = (args) =>
        spawn(join(directory, 'boot'), args, { stdio: PIPED });
      await withRunner({ modules, provisioned: true, launch }, async (runner) => {
        await runner.run(tearDownStage(runner), [1]);
        runner.process.kill('SIGTERM');
        expect(await runner.exited()).to.equal(0);
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('sibling workers', () => {
  it('run in processes of their own, end with the first, and are started with its arguments', async () => {
    expect(argumentsFor('b', ['--id', 'a', '--control_endpoint=x'])).to.deep.equal([
      '--id=b',
      '--control_endpoint=x',
    ]);
    await withRunner({ modules, provisioned: true, siblings: ['worker-2'] }, async (runner) => {
      await eventually('both have connected', () => runner.workerIds.length === 2);
      expect(runner.workerIds.toSorted()).to.deep.equal(['worker-1', 'worker-2']);
      const ended = once(runner.process, 'close');
      runner.process.kill('SIGTERM');
      await ended;
    });
  });
});
