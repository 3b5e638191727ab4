import { expect } from 'chai';
import fc from 'fast-check';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { createBundleEngine } from '#pipelines/beam/bundle-engine.ts';
import type { BuildGraph } from '#pipelines/beam/graph.ts';
import { apply, flatten } from '#pipelines/beam/graph.ts';
import { beam } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { groupingWindow } from '#pipelines/beam/triggers.ts';
import {
  Fail,
  FailWhileWriting,
  identity,
  isOdd,
  journal,
  LateEmit,
  Lifecycle,
  Overlap,
  Repeat,
  Sink,
} from './stages.ts';

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );

/** The elements that a run leaves in the sink at the graph's end. */
async function outputsOf<T>(build: BuildGraph<T>, elements: readonly T[]): Promise<string> {
  journal.length = 0;
  const engine = createBundleEngine(build);
  await engine.run(elements);
  await engine.close();
  return journal.find((line) => line.startsWith('async finish '))?.slice('async finish '.length) ?? '';
}

describe('the bundle engine', () => {
  beforeEach(() => (journal.length = 0));

  it('passes the elements of each bundle through synchronous DoFns in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 50 }),
        fc.integer({ min: 0, max: 3 }),
        async (values, times) => {
          const outputs = await outputsOf<number>((source) => {
            const repeated = apply('repeat', source, syncParDo(new Repeat(times)));
            apply('sink', repeated, asyncParDo(new Sink<number>()));
          }, values);
          expect(outputs).to.equal(values.flatMap((value) => Array<number>(times).fill(value)).join(','));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('runs the SDK’s own map, flatMap, flatten and windows beside ours', async () => {
    const outputs = await outputsOf<number>(
      (source) => {
        const odd = source.map(identity<number>).flatMap(isOdd);
        const all = apply(
          'window',
          flatten('both', [source, odd]),
          groupingWindow({ elements: 500, delayMs: 1000 }),
        );
        apply('sink', all, asyncParDo(new Sink<number>()));
      },
      [1, 2, 3],
    );
    expect(outputs.split(',').toSorted().join(',')).to.equal('1,1,2,3,3');
  });

  it('sets a DoFn up once, begins and ends it with each bundle, and tears it down at the end', async () => {
    const engine = createBundleEngine<number>((source) => {
      const texts = apply('texts', source, syncParDo(new Lifecycle()));
      apply('sink', texts, asyncParDo(new Sink<string>()));
    });
    await engine.run([7]);
    await engine.run([]);
    await engine.close();
    expect(journal).to.deep.equal([
      ...['async setup', 'async start', 'sync setup', 'sync start'],
      ...['sync finish', 'async finish element 7,count 1'],
      ...['async start', 'sync start', 'sync finish', 'async finish count 0'],
      ...['async teardown', 'sync teardown'].toSorted((a) => (a === 'sync teardown' ? -1 : 1)),
    ]);
  });

  it('rejects with the DoFn’s own error, and runs the next bundle as if there had been none', async () => {
    const engine = createBundleEngine<number>((source) => {
      const passed = apply('fail', source, syncParDo(new Fail(3)));
      apply('sink', passed, asyncParDo(new Sink<number>()));
    });
    const error = await failure(engine.run([1, 2, 3]));
    expect(error).to.be.an('error').with.property('message', 'refused 3');
    journal.length = 0;
    await engine.run([4]);
    expect(journal).to.include('async finish 4');
    await engine.close();
  });

  it('leaves nothing in flight when an asynchronous DoFn fails', async () => {
    const engine = createBundleEngine<number>((source) => {
      apply('write', source, asyncParDo(new FailWhileWriting(2)));
    });
    const error = await failure(engine.run([1, 2, 3]));
    expect(error).to.be.an('error').with.property('message', 'the store refused 2');
    expect(journal).to.have.members(['write 1', 'write 2', 'write 3', 'written 1', 'written 3']);
    await engine.close();
  });

  it('lets so many calls of an asynchronous DoFn overlap, and no more', async () => {
    const overlap = async (maxInFlight: number): Promise<string[]> => {
      const outputs = await outputsOf<number>(
        (source) => {
          const written = apply('write', source, asyncParDo(new Overlap(), { maxInFlight }));
          apply('sink', written, asyncParDo(new Sink<number>()));
        },
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
      return outputs.split(',');
    };
    // The two last outputs are the greatest number of calls at one time, and those that had not ended at the bundle's end.
    expect((await overlap(1)).slice(-2)).to.deep.equal(['-1', '0']);
    expect((await overlap(4)).slice(-2)).to.deep.equal(['-4', '0']);
    expect(await overlap(64)).to.have.length(22);
  });

  it('refuses an output that is emitted after its element', async () => {
    const engine = createBundleEngine<number>(
      (source) => void apply('late', source, syncParDo(new LateEmit())),
    );
    expect(String(await failure(engine.run([1])))).to.contain('emit was called after process had returned');
  });

  it('refuses more bundles at a time than it was made for, and runs as many side by side', async () => {
    const build: BuildGraph<number> = (source) => void apply('sink', source, asyncParDo(new Sink<number>()));
    const one = createBundleEngine(build);
    const running = one.run([1]);
    expect(String(await failure(one.run([2])))).to.contain('1 bundles are running already');
    await running;
    const two = createBundleEngine(build, { maxConcurrentBundles: 2 });
    journal.length = 0;
    await Promise.all([two.run([1]), two.run([2])]);
    expect(journal).to.include.members(['async finish 1', 'async finish 2']);
    await Promise.all([one.close(), two.close()]);
    expect(String(await failure(one.run([3])))).to.contain('closed');
  });

  it('refuses a graph with a grouping where it is built', () => {
    expect(() =>
      createBundleEngine<number>((source) => void source.apply(beam.groupBy(identity<number>))),
    ).to.throw(/cannot run .*group_by_key/);
  });

  it('prints nothing', async () => {
    const printed: unknown[] = [];
    const { log, debug } = console;
    Object.assign(console, {
      log: (line: unknown) => printed.push(line),
      debug: (line: unknown) => printed.push(line),
    });
    try {
      await outputsOf<number>((source) => void apply('sink', source, asyncParDo(new Sink<number>())), [1]);
    } finally {
      Object.assign(console, { log, debug });
    }
    expect(printed).to.deep.equal([]);
  });
});
