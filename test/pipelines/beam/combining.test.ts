import { expect } from 'chai';
import fc from 'fast-check';
import { hourOf, MICROS_PER_HOUR, minuteOfHour } from '#domain/instant.ts';
import { accumulate, AGGREGATIONS, type Aggregation } from '#domain/metering/accumulator.ts';
import { addReferences, emptyDistinctValue, packMinutes } from '#domain/metering/distinct-value.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import { emptyHourCell, minuteOf, packHourCell } from '#domain/metering/hour-cell.ts';
import { fromScaled } from '#domain/metering/quantity.ts';
import { createBatchEngine } from '#pipelines/beam/batch-engine.ts';
import { combinePerKey, combineSteps } from '#pipelines/beam/combining.ts';
import { apply, buildGraph } from '#pipelines/beam/graph.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { PCollection, Transform } from '#pipelines/beam/sdk.ts';
import { coders, jsCoders, protobuf } from '#pipelines/beam/sdk.ts';
import { HourCellCombiner, type HourCellForm } from '#pipelines/recount/hour-cells.ts';
import { ReferenceCombiner, type Minutes } from '#pipelines/recount/distinct-values.ts';
import type { RecountedHour, RecountedValue } from '#pipelines/recount/recounted.ts';
import { startFnApiRunner, type FnApiRunner } from '#test/support/fn-api-harness.ts';
import { gatheredTotals, GatherTotals, parityOf, Totals } from './combine-stages.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sums = (count: number): { key: string; value: number }[] =>
  ['even', 'odd'].map((key, parity) => ({
    key,
    value: numbers(count)
      .filter((n) => n % 2 === parity)
      .reduce((a, b) => a + b, 0),
  }));
const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);

const combined = (source: PCollection<number>) =>
  apply('totals', source, combinePerKey(parityOf, new Totals()));

describe('a combine', () => {
  it('is told to runners as one, and holds the steps of it for those that know none', () => {
    const { proto } = buildGraph<number>((source) => void combined(source));
    const transforms = proto.components?.transforms ?? {};
    const composite = Object.values(transforms).find(({ spec }) => spec?.urn.endsWith(':combine_per_key:v1'));
    expect(composite?.subtransforms.map((id) => transforms[id]?.spec?.urn)).to.deep.equal([
      'beam:transform:combine_per_key_precombine:v1',
      'beam:transform:group_by_key:v1',
      'beam:transform:combine_per_key_merge_accumulators:v1',
      'beam:transform:combine_per_key_extract_outputs:v1',
    ]);
  });

  it('gives the totals of all where it runs whole', async () => {
    const engine = createBatchEngine<number>(
      (source) => void apply('gather', combined(source), new GatherTotals().transform()),
    );
    await engine.run(
      (async function* () {
        yield* numbers(1_001);
      })(),
    );
    expect(gatheredTotals.splice(0).sort(byKey)).to.deep.equal(sums(1_001));
  });
});

describe('the steps of a combine in a worker', () => {
  let runner: FnApiRunner;
  before(async () => {
    runner = await startFnApiRunner({ modules: ['millrace/test/pipelines/beam/combine-stages'] });
    await runner.connected();
  });
  after(() => runner.close());

  const { precombine, merge, extract } = combineSteps(new Totals());
  /** One step between the runner's source and its sink, as a runner cuts a combine. */
  const step = (transform: Transform<never, Keyed<unknown>>) =>
    runner.stage((source) => apply('step', source, transform));

  it('precombine hands on one accumulator a key, compact, and they merge to the totals of all', async () => {
    const keyed = numbers(1_000).map((value) => ({ key: parityOf(value), value }));
    const { outputs } = await runner.run(step(precombine), keyed, 3);
    expect(outputs).to.have.length(2);
    const accumulators = outputs as { key: string; value: { packed: string } }[];
    expect(accumulators[0]?.value.packed).to.be.a('string');
    const twice = accumulators.map(({ key, value }) => ({ key, value: [value, value] }));
    const merged = (await runner.run(step(merge), twice)).outputs;
    const extracted = (await runner.run(step(extract), merged)).outputs as {
      key: string;
      value: number;
    }[];
    expect(extracted.sort(byKey)).to.deep.equal(
      sums(1_000).map(({ key, value }) => ({ key, value: value * 2 })),
    );
  });

  it('precombine holds a bounded number of accumulators, and loses none of a bundle that has more keys', async () => {
    const keyed = numbers(45_000).map((value) => ({ key: `k${value % 22_500}`, value: 1 }));
    const { outputs } = await runner.run(step(precombine), keyed, 9);
    const totals = new Map<string, number>();
    for (const { key, value } of outputs as { key: string; value: { packed: string } }[])
      totals.set(key, (totals.get(key) ?? 0) + Number(value.packed));
    expect(totals.size).to.equal(22_500);
    expect(new Set(totals.values())).to.deep.equal(new Set([2]));
  }).timeout(60_000);
});

const coder = new jsCoders.GeneralObjectCoder();
/** There and back over the wire, as between two workers. */
function sent<Value>(value: Value): Value {
  const writer = protobuf.Writer.create();
  coder.encode(value, writer, coders.Context.needsDelimiters);
  return coder.decode(protobuf.Reader.create(writer.finish()), coders.Context.needsDelimiters) as Value;
}

const HOUR = 1_700_000_000_000_000 - (1_700_000_000_000_000 % MICROS_PER_HOUR);
const hash = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes));

const counted = fc.record({
  identity: hash,
  digest: hash.map(fingerprintOf),
  time: fc.integer({ min: 0, max: MICROS_PER_HOUR - 1 }).map((offset) => HOUR + offset),
  value: fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }).map(fromScaled),
});
type Counted = typeof counted extends fc.Arbitrary<infer Each> ? Each : never;

describe('accumulators of the recount', () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 });
  for (const aggregation of AGGREGATIONS)
    it(`of a ${aggregation} meter come to the same cell however the events are dealt out over workers`, () => {
      fc.assert(
        fc.property(fc.array(counted, { minLength: 1, maxLength: 40 }), cuts, (events, at) => {
          const whole = cellOf(aggregation, [events]);
          expect(cellOf(aggregation, pieces(events, at))).to.deep.equal(whole);
        }),
        { numRuns: 60 },
      );
    });

  it('of distinct values too', () => {
    const minute = fc.integer({ min: 0, max: 1_439 });
    fc.assert(
      fc.property(fc.array(minute, { minLength: 1, maxLength: 40 }), cuts, (minutes, at) => {
        const combiner = new ReferenceCombiner();
        const events = minutes.map((each) => {
          const value = emptyDistinctValue();
          addReferences(value, each, 1);
          return { minutes: packMinutes(value) } as RecountedValue;
        });
        const packed = (parts: readonly (readonly RecountedValue[])[]): Uint8Array => {
          const accumulators = parts.map((part) =>
            sent(
              combiner.compact(
                part.reduce(
                  (into: Minutes, each) => combiner.addInput(into, each),
                  combiner.createAccumulator(),
                ),
              ),
            ),
          );
          return new Uint8Array(
            combiner.extractOutput(sent(combiner.compact(combiner.mergeAccumulators(accumulators)))).packed,
          );
        };
        expect(packed(pieces(events, at))).to.deep.equal(packed([events]));
      }),
      { numRuns: 60 },
    );
  });
});

/** The elements in some runs, empty ones among them. */
function pieces<Each>(all: readonly Each[], at: readonly number[]): Each[][] {
  const places = [0, ...at.map((place) => Math.min(place, all.length)).sort((a, b) => a - b), all.length];
  return places.slice(1).map((end, place) => all.slice(places[place], end));
}

/** A piece of a cell: what some of its events come to. */
function pieceOf(aggregation: Aggregation, events: readonly Counted[]): RecountedHour {
  const cell = emptyHourCell();
  for (const event of events) {
    accumulate(minuteOf(cell, minuteOfHour(event.time)), aggregation, event);
    accumulate(cell.totals, aggregation, event);
  }
  const of = { kind: 'hour', by: 'stream', subject: 'a', view: 0, hour: hourOf(HOUR), group: '' } as const;
  return { ...of, cell: packHourCell(aggregation, cell) };
}

/** Of events that lie in some workers, each of which gets its own in pieces of two. */
function cellOf(aggregation: Aggregation, parts: readonly (readonly Counted[])[]) {
  const combiner = new HourCellCombiner(aggregation);
  const accumulators = parts
    .filter((part) => part.length > 0)
    .map((part) => {
      let cell: HourCellForm = combiner.createAccumulator();
      for (let at = 0; at < part.length; at += 2)
        cell = combiner.addInput(cell, pieceOf(aggregation, part.slice(at, at + 2)));
      return sent(combiner.compact(cell));
    });
  const merged = sent(combiner.compact(combiner.mergeAccumulators(accumulators)));
  const { totals, minutes, ...rest } = combiner.extractOutput(merged);
  return {
    ...rest,
    totals: Buffer.from(totals).toString('hex'),
    minutes: Buffer.from(minutes).toString('hex'),
  };
}
