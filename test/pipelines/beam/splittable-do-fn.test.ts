import { expect } from 'chai';
import fc from 'fast-check';
import type { DelayedBundleApplication } from 'apache-beam/proto/beam_fn_api';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { createBatchEngine } from '#pipelines/beam/batch-engine.ts';
import { createBundleEngine } from '#pipelines/beam/bundle-engine.ts';
import { fanOut, impulse } from '#pipelines/beam/fan-out.ts';
import { apply, buildGraph } from '#pipelines/beam/graph.ts';
import { assertPortable, NotPortable } from '#pipelines/beam/portability.ts';
import type { WindowedValue } from '#pipelines/beam/sdk.ts';
import { beam, pipelines, runnerApi } from '#pipelines/beam/sdk.ts';
import { NO_WATERMARK_MS, splittableParDo } from '#pipelines/beam/splittable-do-fn.ts';
import type { PollingSource } from '#pipelines/beam/splittable-do-fn.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { eventually } from '#test/support/eventually.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';
import type { Build, Bundle, FnApiRunner } from '#test/support/fn-api-harness.ts';
import { splittableStages } from '#test/support/splittable-stages.ts';
import { Counting, Faulty, Flood, Patient, RESUME_AFTER_MS, SetUp, TurnsBack } from './sources.ts';
import { Fail, Overlap } from './stages.ts';

const modules = ['millrace/test/pipelines/beam/sources', 'millrace/test/pipelines/beam/stages'];
const SPLITTABLE = 'beam:requirement:pardo:splittable_dofn:v1';

const reading =
  <T>(source: PollingSource<string, T>): Build =>
  (elements) =>
    apply('read', elements, splittableParDo(source));

interface Read {
  readonly values: unknown[];
  readonly times: number[];
  readonly residuals: DelayedBundleApplication[];
}

function readOf({ outputs, response }: Bundle): Read {
  const windowed = outputs as WindowedValue<unknown>[];
  const body = response.response;
  return {
    values: windowed.map(({ value }) => value),
    times: windowed.map(({ timestamp }) => timestamp.toNumber()),
    residuals: body.oneofKind === 'processBundle' ? body.processBundle.residualRoots : [],
  };
}

const leftOf = ({ residuals }: Read): Uint8Array[] =>
  residuals.map(({ application }) => application?.element ?? new Uint8Array());

const watermarksOf = ({ residuals }: Read): unknown[] =>
  residuals.map(({ application }) => Object.values(application?.outputWatermarks ?? {})[0]);

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as Error,
  );

describe('a splittable ParDo on a worker', () => {
  let runner: FnApiRunner;
  before(async () => {
    runner = await startFnApiRunner({ modules });
    await runner.connected();
  });
  after(() => runner.close());

  const begin = async (build: Build, elements: readonly string[]) => {
    const stages = splittableStages(runner, build);
    const { outputs } = await runner.run(stages.pair, elements);
    const read = async (left: readonly unknown[]): Promise<Read> =>
      readOf(await runner.run(stages.process, left));
    return { stages, sized: outputs as Uint8Array[], read };
  };

  /** Resolves when the bundle's source has emitted: before that, there is no round that could end. */
  const emitted = (id: string): Promise<void> =>
    eventually('the first value is out', async () => {
      const progress = {
        oneofKind: 'processBundleProgress',
        processBundleProgress: { instructionId: id },
      } as const;
      const { response } = await runner.instruct(progress);
      const infos =
        response.oneofKind === 'processBundleProgress' ? response.processBundleProgress.monitoringInfos : [];
      return infos.filter(({ urn }) => urn === 'beam:metric:element_count:v1').length === 2;
    });

  const split = async (id: string, fractionOfRemainder: number): Promise<object> => {
    const desired = { fractionOfRemainder, allowedSplitPoints: [], estimatedInputElements: 4n };
    const processBundleSplit = { instructionId: id, desiredSplits: { source: desired } };
    const { response, error } = await runner.instruct({
      oneofKind: 'processBundleSplit',
      processBundleSplit,
    });
    expect(error).to.equal('');
    if (response.oneofKind !== 'processBundleSplit') throw new Error('it is no answer to a split');
    return response.processBundleSplit;
  };

  it('begins with one restriction for each element, and goes on from the residual of each round to the end', async () => {
    const { sized, read } = await begin(reading(new Counting(5, 2)), ['a']);
    expect(sized).to.have.length(1);
    const first = await read(sized);
    expect(first.values).to.deep.equal([0, 1]);
    const second = await read(leftOf(first));
    expect(second.values).to.deep.equal([2, 3]);
    const last = await read(leftOf(second));
    expect(last.values).to.deep.equal([4]);
    expect(last.residuals).to.deep.equal([]);
  });

  it('says when to go on, to the millisecond and never earlier, and where the output’s watermark is', async () => {
    const { sized, read } = await begin(reading(new Counting(3_000, 1_500)), ['a']);
    const [residual] = (await read(sized)).residuals;
    expect(RESUME_AFTER_MS).to.equal(1_250.5);
    expect(residual?.requestedTimeDelay).to.deep.equal({ seconds: 1n, nanos: 251_000_000 });
    const [watermark] = Object.values(residual?.application?.outputWatermarks ?? {});
    expect(watermark).to.deep.equal({ seconds: 1n, nanos: 500_000_000 });
    expect(residual?.application?.isBounded).to.equal(runnerApi.IsBounded_Enum.UNBOUNDED);
  });

  it('gives each value its own time, before the watermark too', async () => {
    const { sized, read } = await begin(reading(new TurnsBack()), ['a']);
    expect(await read(sized)).to.deep.include({ values: [NO_WATERMARK_MS], times: [-5] });
  });

  it('never turns a watermark back, whatever the source says and wherever it goes on', async () => {
    const { sized, read } = await begin(reading(new TurnsBack()), ['a']);
    const first = await read(sized);
    const second = await read(leftOf(first));
    const third = await read(leftOf(second));
    expect([first, second, third].flatMap(watermarksOf)).to.deep.equal(
      Array.from({ length: 3 }, () => ({ seconds: 0n, nanos: 300_000_000 })),
    );
    expect([second.values, third.values]).to.deep.equal([[300], [300]]);
  });

  it('keeps the residuals of bundles that run side by side apart', async () => {
    const { sized, read } = await begin(reading(new Counting(9, 3)), ['a', 'b']);
    const reads = await Promise.all([read(sized.slice(0, 1)), read(sized.slice(1)), read([])]);
    expect(reads.map(({ residuals }) => residuals.length)).to.deep.equal([1, 1, 0]);
    expect(leftOf(reads[0])).not.to.deep.equal(leftOf(reads[1]));
  });

  it('reads the elements of one bundle beside each other, and ends their rounds where the runner asks for it', async () => {
    const { stages, sized } = await begin(reading(new Patient()), ['a', 'b', 'c']);
    const { id, ended } = runner.start(stages.process, sized);
    await emitted(id);
    expect(await split(id, 0)).to.deep.include({ primaryRoots: [], residualRoots: [] });
    const read = readOf(await ended);
    expect(read.values).to.have.members(['a waits', 'b waits', 'c waits']);
    expect(read.residuals).to.have.length(3);
  });

  it('splits no element that is being read, and goes on reading it', async () => {
    const { stages, sized } = await begin(reading(new Patient()), ['a', 'b', 'c', 'd']);
    const { id, ended } = runner.start(stages.process, sized);
    await emitted(id);
    const nothing = { primaryRoots: [], residualRoots: [], channelSplits: [] };
    expect(await split(id, 0.5)).to.deep.equal(nothing);
    await split(id, 0);
    expect(readOf(await ended).residuals).to.have.length(4);
  });

  it('ends the other rounds of a bundle when one of them fails', async () => {
    const { sized, read } = await begin(reading(new Patient()), ['a', 'refuse']);
    expect((await failure(read(sized))).message).to.contain('the topic refuses');
  });

  it('sets a copy of the source up once, before its first round', async () => {
    const { sized, read } = await begin(reading(new SetUp()), ['a']);
    const first = await read(sized);
    expect([first.values, (await read(leftOf(first))).values]).to.deep.equal([[1], [1]]);
  });

  it('leaves nothing of a bundle whose round fails, and begins the next bundle clean', async () => {
    const { sized, read } = await begin(reading(new Faulty()), ['throw', 'well']);
    expect((await failure(read(sized))).message).to.contain('the topic is gone');
    const well = await read(sized.slice(1));
    expect(well.values).to.deep.equal(['before the fault']);
    expect(well.residuals).to.have.length(1);
  });

  it('fails a bundle whose values a step behind it refuses, though the source goes on', async () => {
    const build: Build = (elements) =>
      apply('fail', apply('read', elements, splittableParDo(new Counting(9, 9))), syncParDo(new Fail(4)));
    const { sized, read } = await begin(build, ['a']);
    expect((await failure(read(sized))).message).to.contain('refused 4');
  });

  for (const [element, message] of [
    ['watermark', 'the watermark NaN is no time'],
    ['delay', 'a round cannot begin in -1 ms'],
    ['swallow', '0.5 is no time in whole milliseconds'],
  ] as const) {
    it(`refuses what a source must not say (${element})`, async () => {
      const { sized, read } = await begin(reading(new Faulty()), [element]);
      expect((await failure(read(sized))).message).to.contain(message);
    });
  }

  it('refuses a value that is emitted after its round', async () => {
    const { sized, read } = await begin(reading(new Faulty()), ['emit late']);
    const first = await read(sized);
    expect((await failure(read(leftOf(first)))).message).to.contain('emit was called after poll had ended');
  });

  it('hands over every value once where a round emits many messages’ worth', async () => {
    const { sized, read } = await begin(reading(new Flood()), ['30000']);
    const { values } = await read(sized);
    expect(new Set(values)).to.have.property('size', 30_000);
    expect(values).to.have.length(30_000);
  });

  it('waits for a slow step behind it', async () => {
    const build: Build = (elements) => {
      const read = apply('read', elements, splittableParDo(new Counting(40, 40)));
      return apply('write', read, asyncParDo(new Overlap(), { maxInFlight: 2 }));
    };
    const { sized, read } = await begin(build, ['a']);
    const { values } = await read(sized);
    expect(values.slice(-2)).to.deep.equal([-2, 0]);
    expect(values).to.have.length(42);
  });

  it('reads every element of a bundle that has more of them than are read at a time', async () => {
    const names = Array.from({ length: 150 }, (_, i) => `reader ${i}`);
    const { sized, read } = await begin(reading(new Counting(4, 2)), names);
    const first = await read(sized);
    const last = await read(leftOf(first));
    expect([first.values, last.values].map((values) => values.length)).to.deep.equal([300, 300]);
    expect([first.residuals.length, last.residuals.length]).to.deep.equal([150, 0]);
  });

  it('is refused where the runner has not taken it apart', async () => {
    const whole = runner.stage(reading(new Counting(4, 2)));
    expect((await failure(runner.run(whole, ['a']))).message).to.contain('which only a runner can run');
  });

  it('reads nothing more of a job that is drained', async () => {
    const { stages, sized, read } = await begin(reading(new Counting(9, 3)), ['a', 'b']);
    const left = leftOf(await read(sized));
    expect((await runner.run(stages.truncate, [...sized, ...left])).outputs).to.deep.equal([]);
  });
});

describe('a splittable ParDo through losses', () => {
  /** What happens to a bundle: its answer is taken, it is lost on the way back, or the worker is killed before it is there. */
  const fates = fc.array(fc.constantFrom('taken', 'lost', 'lost', 'killed'), { maxLength: 6 });

  it('yields every element in order, and skips none, whatever becomes of its bundles and workers', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fates,
      check,
    );
    await fc.assert(property, { numRuns: 6 });
  });

  async function check(end: number, perRound: number, happens: readonly string[]): Promise<void> {
    let runner = await startFnApiRunner({ modules });
    let stages = splittableStages(runner, reading(new Counting(end, perRound)));
    const committed: unknown[] = [];
    let left = (await runner.run(stages.pair, ['a'])).outputs as Uint8Array[];
    for (const fate of happens.concat(Array.from({ length: end }, () => 'taken'))) {
      if (left.length === 0) break;
      if (fate === 'killed') {
        const lost = runner.run(stages.process, left).catch(() => undefined);
        await runner.close();
        await lost;
        runner = await startFnApiRunner({ modules });
        stages = splittableStages(runner, reading(new Counting(end, perRound)));
        continue;
      }
      const read = readOf(await runner.run(stages.process, left));
      if (fate === 'lost') continue;
      committed.push(...read.values);
      left = leftOf(read);
    }
    await runner.close();
    expect(committed).to.deep.equal(Array.from({ length: end }, (_, i) => i));
  }
});

describe('a pipeline with a splittable ParDo', () => {
  const build = () => {
    const pipeline = new pipelines.Pipeline();
    const readers = apply('readers', impulse(new beam.Root(pipeline)), fanOut(['a', 'b']));
    const read = apply('read', readers, splittableParDo(new Counting(9, 3)));
    apply('fail', read, syncParDo(new Fail(-1)));
    return { proto: pipeline.getProto(), read };
  };

  it('is portable, requires runners to know what is splittable, and says that it has no end', () => {
    const { proto, read } = build();
    expect(() => assertPortable(proto)).not.to.throw();
    expect(proto.requirements).to.deep.equal([SPLITTABLE]);
    const collection = proto.components?.pcollections[read.getId()];
    expect(collection?.isBounded).to.equal(runnerApi.IsBounded_Enum.UNBOUNDED);
  });

  it('is not portable without the requirement or the coder of its restrictions', () => {
    const { proto } = build();
    expect(() => assertPortable({ ...proto, requirements: [] })).to.throw(NotPortable, 'it is splittable');
    const components = { ...(proto.components ?? runnerApi.Components.create()), coders: {} };
    expect(() => assertPortable({ ...proto, components })).to.throw(
      NotPortable,
      'the coder of its restrictions',
    );
  });

  it('is refused by the engines of this process, where it is built', () => {
    const graph = (source: Parameters<Build>[0]): void => void reading(new Counting(1, 1))(source);
    expect(() => createBundleEngine(graph)).to.throw('is splittable: it needs a distributed runner');
    expect(() => createBatchEngine(graph)).to.throw('is splittable: it needs a distributed runner');
  });

  it('carries only coders that every runner has for what is left to read', () => {
    const { proto } = buildGraph((source) => void reading(new Counting(1, 1))(source as never));
    const urns = Object.values(proto.components?.coders ?? {}).map(({ spec }) => spec?.urn);
    expect(urns).to.include.members([
      'beam:coder:kv:v1',
      'beam:coder:string_utf8:v1',
      'beam:coder:varint:v1',
    ]);
  });
});
