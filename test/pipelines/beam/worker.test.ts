import { expect } from 'chai';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import { beam, protobuf, standardCoders, workers } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';
import type { Build, FnApiRunner, HarnessOptions } from '#test/support/fn-api-harness.ts';
import { Burst, Fail, FailWhileWriting, identity, Overlap, Repeat, Sink, spin, TellPane } from './stages.ts';

const modules = ['millrace/test/pipelines/beam/stages'];
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const identityStage: Build = (source) => source.map(identity<number>);

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as Error,
  );

async function withRunner<T>(options: HarnessOptions, use: (runner: FnApiRunner) => Promise<T>): Promise<T> {
  const runner = await startFnApiRunner(options);
  try {
    return await use(runner);
  } finally {
    await runner.close();
  }
}

describe('the worker', () => {
  let runner: FnApiRunner;
  before(async () => {
    runner = await startFnApiRunner({ modules });
    await runner.connected();
  });
  after(() => runner.close());

  it('loses no element of a bundle in three messages whose DoFn takes long', async () => {
    const stage = runner.stage((source) => source.map(spin<number>));
    const { outputs } = await runner.run(stage, numbers(600), 3);
    expect(outputs).to.deep.equal(numbers(600));
  });

  it('runs bundle after bundle on the same DoFns', async () => {
    const stage = runner.stage((source) => apply('sink', source, asyncParDo(new Sink<number>())));
    expect((await runner.run(stage, [1, 2])).outputs).to.deep.equal([1, 2]);
    expect((await runner.run(stage, [3], 2)).outputs).to.deep.equal([3]);
    expect((await runner.run(stage, [])).outputs).to.deep.equal([]);
  });

  it('runs bundles of one stage side by side', async () => {
    const stage = runner.stage((source) => apply('write', source, asyncParDo(new Overlap())));
    const bundles = await Promise.all([1, 2, 3].map((i) => runner.run(stage, [i])));
    expect(bundles.map(({ outputs }) => outputs[0])).to.deep.equal([1, 2, 3]);
  });

  it('holds the data back while an asynchronous DoFn has enough in flight, and loses none of it', async () => {
    const stage = runner.stage((source) =>
      apply('write', source, asyncParDo(new Overlap(), { maxInFlight: 2 })),
    );
    const { outputs } = await runner.run(stage, numbers(100), 5);
    expect(outputs.slice(-2)).to.deep.equal([-2, 0]);
    expect((outputs.slice(0, -2) as number[]).toSorted((a, b) => a - b)).to.deep.equal(numbers(100));
  });

  it('sends what one call emits once, also above 1 MB', async () => {
    const stage = runner.stage((source) => apply('burst', source, syncParDo(new Burst())));
    const { outputs } = await runner.run(stage, [40_000]);
    expect(outputs).to.have.length(40_000);
    expect(new Set(outputs)).to.have.property('size', 40_000);
  });

  it('takes a message above 4 MiB', async () => {
    const stage = runner.stage(identityStage);
    const text = 'x'.repeat(5 * 1024 * 1024);
    expect((await runner.run(stage, [text])).outputs).to.deep.equal([text]);
  });

  it('hands values over the wire as they were', async () => {
    const stage = runner.stage(identityStage);
    const values = [1_700_000_000_000, -(2 ** 40), NaN, Infinity, 0.1, 'text', null, true, [1, 'two']];
    expect((await runner.run(stage, values)).outputs).to.deep.equal(values);
    const element = { bytes: Buffer.from([0, 255]), at: 1_700_000_000_000, list: [{ n: 1.5 }], none: null };
    expect((await runner.run(stage, [element])).outputs).to.deep.equal([element]);
  });

  it('fills the parameters of a context, and counts in 64 bits, for each bundle from 0', async () => {
    const context = { pane: beam.paneInfoParam(), calls: beam.counter('calls') };
    const stage = runner.stage((source) => apply('tell', source, syncParDo(new TellPane(), { context })));
    for (const elements of [3, 1]) {
      const { outputs, response } = await runner.run(stage, numbers(elements));
      expect(outputs[0]).to.deep.equal({
        isFirst: true,
        isLast: true,
        index: 0,
        onTimeIndex: 0,
        timing: 'UNKNOWN',
      });
      const { response: body } = response;
      const infos = body.oneofKind === 'processBundle' ? body.processBundle.monitoringInfos : [];
      const counter = infos.find(({ labels }) => labels['NAME'] === 'calls');
      const value = standardCoders.VarIntCoder.INSTANCE.decode(
        protobuf.Reader.create(counter?.payload ?? new Uint8Array()),
      );
      expect(value).to.equal(elements * 1_000_000_000);
    }
  });

  it('reports the error of a bundle with its cause, and runs the next bundle clean', async () => {
    const stage = runner.stage((source) =>
      apply('sink', apply('fail', source, syncParDo(new Fail(2))), asyncParDo(new Sink<number>())),
    );
    const error = await failure(runner.run(stage, [1, 2, 3], 2));
    expect(error.message).to.match(/Error: refused 2[^]*caused by Error: it is forbidden/);
    expect((await runner.run(stage, [4, 5], 2)).outputs).to.deep.equal([4, 5]);
  });

  it('reports the error of an asynchronous DoFn', async () => {
    const stage = runner.stage((source) => apply('write', source, asyncParDo(new FailWhileWriting(7))));
    expect((await failure(runner.run(stage, numbers(20), 4))).message).to.contain('the store refused 7');
  });

  it('fails the bundle whose data stream breaks, and opens another stream for the next', async () => {
    const stage = runner.stage(identityStage);
    await runner.run(stage, [1]);
    await runner.breakData();
    expect((await failure(runner.run(stage, [2]))).message).to.contain('the runner lost its data');
    expect((await runner.run(stage, [3])).outputs).to.deep.equal([3]);
  });

  it('answers for a bundle it does not know that there is nothing to report and nothing to split', async () => {
    const instructionId = 'never heard of';
    const progress = await runner.instruct({
      oneofKind: 'processBundleProgress',
      processBundleProgress: { instructionId },
    });
    const split = await runner.instruct({
      oneofKind: 'processBundleSplit',
      processBundleSplit: { instructionId, desiredSplits: {} },
    });
    expect([progress.error, split.error]).to.deep.equal(['', '']);
    expect(split.response.oneofKind).to.equal('processBundleSplit');
  });

  it('refuses an instruction it cannot carry out', async () => {
    const response = await runner.instruct({
      oneofKind: 'finalizeBundle',
      finalizeBundle: { instructionId: 'x' },
    });
    expect(response.error).to.contain(`takes no instruction 'finalizeBundle'`);
  });

  it('says who it is when it asks for a descriptor', () => {
    expect(runner.descriptorCallers).to.not.be.empty;
    expect(new Set(runner.descriptorCallers)).to.deep.equal(new Set([runner.workerId]));
  });

  it('tells what the short names of its metrics stand for', async () => {
    const monitoringInfoId = ['m0', 'never given'];
    const { response } = await runner.instruct({
      oneofKind: 'monitoringInfos',
      monitoringInfos: { monitoringInfoId },
    });
    const told = response.oneofKind === 'monitoringInfos' ? response.monitoringInfos.monitoringInfo : {};
    expect(Object.keys(told)).to.deep.equal(['m0']);
    expect(told['m0']?.urn).to.match(/^beam:metric:/);
  });

  it('prints nothing for its instructions, and one line for each bundle that failed', () => {
    expect(runner.stdout()).to.equal('');
    const lines = runner.stderr().trim().split('\n');
    const levels = lines.map((line) => (JSON.parse(line) as { level: string }).level);
    expect(levels).to.deep.equal(['info', 'error', 'error', 'error']);
  });
});

describe('a worker’s life', () => {
  it('loses elements as published: the reason for the repair', async () => {
    const delivered = await withRunner({ stock: true, modules: [] }, async (stock) => {
      // By source, since the published worker cannot load our modules; the other stages' registrations are no matter.
      const bySource = (x: number): number => {
        const until = Date.now() + 1;
        while (Date.now() < until);
        return x;
      };
      return (
        await stock.run(
          stock.stage((source) => source.map(bySource)),
          numbers(600),
          3,
        )
      ).outputs.length;
    });
    expect(delivered).to.be.lessThan(600);
  });

  it('begins with nothing but a quoted id and the provision endpoint', async () => {
    await withRunner({ provisioned: true, modules }, async (runner) => {
      const stage = runner.stage((source) => apply('repeat', source, syncParDo(new Repeat(2))));
      expect((await runner.run(stage, [1])).outputs).to.deep.equal([1, 1]);
      expect(runner.descriptorCallers).to.deep.equal([runner.workerId]);
      await runner.endControl();
      expect(await runner.exited()).to.equal(0);
    });
  });

  it('ends with the name of a module that it lacks, in its output and in the runner’s log', async () => {
    await withRunner({ modules: ['millrace/pipelines/usage/no-such-stages'] }, async (runner) => {
      expect(await runner.exited()).to.equal(1);
      const message = `cannot load the module 'millrace/pipelines/usage/no-such-stages': the pipeline names it`;
      expect(runner.stderr()).to.contain(message);
      expect(runner.log.join('\n')).to.contain(message);
    });
  });

  it('ends with an error when the control stream breaks', async () => {
    await withRunner({ modules: [] }, async (runner) => {
      await runner.connected();
      await runner.breakControl();
      expect(await runner.exited()).to.equal(1);
      expect(runner.stderr()).to.contain('the control stream ended');
    });
  });

  it('says which definition is missing when a module was not named', async () => {
    await withRunner({ modules: [] }, async (runner) => {
      const stage = runner.stage((source) => apply('repeat', source, syncParDo(new Repeat(2))));
      expect((await failure(runner.run(stage, [1]))).message).to.contain(
        'millrace/test/pipelines/beam/stages.Repeat',
      );
    });
  });

  it('waits for as long as the runner keeps the control stream', async () => {
    await withRunner({ modules: [] }, async (runner) => {
      await runner.connected();
      const worker = new workers.Worker('in-process', { controlUrl: runner.url });
      let ended = false;
      const waiting = worker.wait().then(() => (ended = true));
      expect(ended).to.equal(false);
      worker.stop();
      await runner.close();
      await waiting;
      expect(ended).to.equal(true);
    });
  });
});
