import './compat.ts';
import { apply } from './graph.ts';
import { createGroupings, groupByKey, groupingOperator, keyBy, keyedByText, receiverOf } from './grouping.ts';
import type { Keyed, KeyedElement } from './grouping.ts';
import type { OperatorConstructor, PCollection, ProcessResult, PTransformProto, Transform } from './sdk.ts';
import { beam, jsCoders, operators, runnerApi, serialize } from './sdk.ts';
import type { ElementCoder } from './wire-coder.ts';

export const COMBINE_PER_KEY_URN = 'beam:transform:combine_per_key:v1';

/** A combine in steps: in the worker that has the elements, before they are shuffled, and behind the shuffle. */
const PRECOMBINE_URN = 'beam:transform:combine_per_key_precombine:v1';
const MERGE_URN = 'beam:transform:combine_per_key_merge_accumulators:v1';
const EXTRACT_URN = 'beam:transform:combine_per_key_extract_outputs:v1';
const CONVERT_URN = 'beam:transform:combine_per_key_convert_to_accumulators:v1';
const GROUPED_URN = 'beam:transform:combine_grouped_values:v1';

/** Accumulators that one bundle holds before it hands them on: what it may hold does not grow with its input. */
const ACCUMULATORS_PER_BUNDLE_MAX = 20_000;

/**
 * Beam's own: how values of one key and window become one. Accumulators may be anything while a worker adds to them; `compact` makes plain data
 * of them before they cross the wire, and the other functions take both forms.
 */
export interface CombineFn<Input, Accumulator, Output> {
  createAccumulator(): Accumulator;
  /** May change the accumulator that it is given. */
  addInput(accumulator: Accumulator, input: Input): Accumulator;
  mergeAccumulators(accumulators: Iterable<Accumulator>): Accumulator;
  compact?(accumulator: Accumulator): Accumulator;
  extractOutput(accumulator: Accumulator): Output;
}

type AnyCombineFn = CombineFn<unknown, unknown, unknown>;

/** How a combine's elements cross the wire; in the general coder where nothing is said. Accumulators cross it as `compact` makes them. */
export interface CombineCoders<Input, Accumulator, Output> {
  readonly input?: ElementCoder<Input>;
  readonly accumulator?: ElementCoder<Accumulator>;
  readonly output?: ElementCoder<Output>;
}

/**
 * Elements by their key and window, combined. `keyOf` and the combiner are registered. A runner that knows combines is told that it is one; one
 * that does not finds the steps inside, so that on both only accumulators are shuffled.
 */
export function combinePerKey<Input, Accumulator, Output>(
  keyOf: (input: Input) => string,
  combiner: CombineFn<Input, Accumulator, Output>,
  coders: CombineCoders<Input, Accumulator, Output> = {},
): Transform<Input, Keyed<Output>> {
  const combined = (input: PCollection<Input>): PCollection<Keyed<Output>> =>
    apply('combine', apply('key', input, keyBy(keyOf, coders.input)), combine(combiner, coders));
  return beam.withName('combine per key', combined);
}

type Pipeline = InstanceType<typeof beam.Root>['pipeline'];

export interface CombineSteps {
  /** In the worker that has the elements: what they come to, before anything is shuffled. */
  readonly precombine: Transform<Keyed<unknown>, Keyed<unknown>>;
  /** Behind the shuffle: one accumulator of all. */
  readonly merge: Transform<Keyed<readonly unknown[]>, Keyed<unknown>>;
  readonly extract: Transform<Keyed<unknown>, Keyed<unknown>>;
}

function payloadOf<Input, Accumulator, Output>(
  pipeline: Pipeline,
  combineFn: CombineFn<Input, Accumulator, Output>,
  { accumulator }: CombineCoders<Input, Accumulator, Output>,
): Uint8Array {
  const { CombinePayload } = runnerApi;
  const payload = CombinePayload.create({
    combineFn: { urn: COMBINE_FN_URN, payload: serialize.serializeFn({ combineFn }) },
    accumulatorCoderId: pipeline.getCoderId(accumulator ?? new jsCoders.GeneralObjectCoder()),
  });
  return CombinePayload.toBinary(payload);
}

/** The steps that a worker does of a combine; the shuffle between them is the runner's. */
export function combineSteps<Input, Accumulator, Output>(
  combineFn: CombineFn<Input, Accumulator, Output>,
  coders: CombineCoders<Input, Accumulator, Output> = {},
): CombineSteps {
  const step = <I, O, Value>(name: string, urn: string, coder?: ElementCoder<Value>): Transform<I, O> =>
    beam.withName(name, (_input: unknown, pipeline: Pipeline, transform: PTransformProto) => {
      const payload = payloadOf(pipeline, combineFn, coders);
      transform.spec = runnerApi.FunctionSpec.create({ urn, payload });
      return pipeline.createPCollectionInternal(keyedByText(coder));
    }) as unknown as Transform<I, O>;
  return {
    precombine: step('precombine', PRECOMBINE_URN, coders.accumulator),
    merge: step('merge', MERGE_URN, coders.accumulator),
    extract: step('extract', EXTRACT_URN, coders.output),
  };
}

/** Without a composite around it: runners look for the steps of a combine right inside it. */
const directly = <I, O>(input: PCollection<I>, step: Transform<I, O>): PCollection<O> =>
  input.apply<PCollection<O>>(step) as PCollection<O>;

/** The composite that runners know as a combine, and in it the steps of it. */
function combine<Input, Accumulator, Output>(
  combineFn: CombineFn<Input, Accumulator, Output>,
  coders: CombineCoders<Input, Accumulator, Output>,
): Transform<Keyed<Input>, Keyed<Output>> {
  const { precombine, merge, extract } = combineSteps(combineFn, coders);
  const expand = (
    input: PCollection<Keyed<unknown>>,
    pipeline: Pipeline,
    transform: PTransformProto,
  ): PCollection<Keyed<Output>> => {
    const payload = payloadOf(pipeline, combineFn, coders);
    transform.spec = runnerApi.FunctionSpec.create({ urn: COMBINE_PER_KEY_URN, payload });
    const shuffled = directly(directly(input, precombine), groupByKey<unknown>());
    return directly(directly(shuffled, merge), extract);
  };
  return beam.withName('combine', expand);
}

const COMBINE_FN_URN = 'millrace:combinefn:v1';

function combineFnOf({ spec }: PTransformProto): AnyCombineFn {
  const none = new Uint8Array();
  const { combineFn } = runnerApi.CombinePayload.fromBinary(spec?.payload ?? none);
  return (serialize.deserializeFn(combineFn?.payload ?? none) as { combineFn: AnyCombineFn }).combineFn;
}

const compacted = (fn: AnyCombineFn, accumulator: unknown): unknown =>
  fn.compact === undefined ? accumulator : fn.compact(accumulator);

/** The whole combine where nothing is shuffled: an accumulator for each key and window, until the input has ended. */
operators.registerOperatorConstructor(COMBINE_PER_KEY_URN, (id, transform, context) => {
  const combineFn = combineFnOf(transform);
  return groupingOperator<unknown>(id, receiverOf(transform, context), {
    begin: () => combineFn.createAccumulator(),
    add: (accumulator, input) => combineFn.addInput(accumulator, input),
    end: (accumulator) => combineFn.extractOutput(accumulator),
  });
});

/** Accumulators of what one bundle holds. They are handed on before the end where there are too many of them. */
operators.registerOperatorConstructor(PRECOMBINE_URN, (id, transform, context) => {
  const combineFn = combineFnOf(transform);
  const groups = createGroupings<unknown>(receiverOf(transform, context), {
    begin: () => combineFn.createAccumulator(),
    add: (accumulator, input) => combineFn.addInput(accumulator, input),
    end: (accumulator) => compacted(combineFn, accumulator),
  });
  // While accumulators are handed on, more elements may come: they begin new ones.
  let handing: Promise<void> | undefined;
  const handOn = (): Promise<void> =>
    (handing ??= groups.handOn().finally(() => {
      handing = undefined;
    }));
  return {
    transformId: id,
    startBundle: async () => groups.clear(),
    process: (element): ProcessResult => {
      groups.add(element as KeyedElement);
      return groups.size < ACCUMULATORS_PER_BUNDLE_MAX ? null : handOn();
    },
    finishBundle: async () => {
      await handing;
      await groups.handOn();
    },
  };
});

/** A step that makes of each value another one. */
const each =
  (change: (fn: AnyCombineFn, value: unknown) => unknown): OperatorConstructor =>
  (id, transform, context) => {
    const combineFn = combineFnOf(transform);
    const receiver = receiverOf(transform, context);
    return {
      transformId: id,
      startBundle: () => Promise.resolve(),
      process: (element): ProcessResult => {
        const { value: keyed, windows, pane, timestamp } = element as KeyedElement;
        const value = { key: keyed.key, value: change(combineFn, keyed.value) };
        return receiver.receive({ value, windows, pane, timestamp });
      },
      finishBundle: () => Promise.resolve(),
    };
  };

const addAll = (fn: AnyCombineFn, inputs: Iterable<unknown>): unknown => {
  let accumulator = fn.createAccumulator();
  for (const input of inputs) accumulator = fn.addInput(accumulator, input);
  return accumulator;
};

const STEPS: Readonly<Record<string, (fn: AnyCombineFn, value: unknown) => unknown>> = {
  [MERGE_URN]: (fn, accumulators) => compacted(fn, fn.mergeAccumulators(accumulators as Iterable<unknown>)),
  [EXTRACT_URN]: (fn, accumulator) => fn.extractOutput(accumulator),
  [CONVERT_URN]: (fn, input) => compacted(fn, addAll(fn, [input])),
  [GROUPED_URN]: (fn, inputs) => fn.extractOutput(addAll(fn, inputs as Iterable<unknown>)),
};
for (const [urn, change] of Object.entries(STEPS)) operators.registerOperatorConstructor(urn, each(change));
