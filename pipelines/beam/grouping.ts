import './compat.ts';
import { moduleName, register } from './registration.ts';
import type { BeamInstant, PaneInfo, Receiver, Transform, Window, WindowedValue } from './sdk.ts';
import { beam, operators, runnerApi, serialize } from './sdk.ts';
import { inGlobalWindow } from './windowed-value.ts';

export const COMBINE_PER_KEY_URN = 'beam:transform:combine_per_key:v1';
export const GROUP_BY_KEY_URN = 'beam:transform:group_by_key:v1';

/** Beam's own: how values of one key and window become one. Accumulators are plain data, since they may cross the wire. */
export interface CombineFn<Input, Accumulator, Output> {
  createAccumulator(): Accumulator;
  addInput(accumulator: Accumulator, input: Input): Accumulator;
  mergeAccumulators(accumulators: Iterable<Accumulator>): Accumulator;
  extractOutput(accumulator: Accumulator): Output;
}

export interface Keyed<Value> {
  readonly key: string;
  readonly value: Value;
}

/** Elements by their key and window, combined. `keyOf` and the combiner are registered functions. */
export function combinePerKey<Input, Accumulator, Output>(
  keyOf: (input: Input) => string,
  combiner: CombineFn<Input, Accumulator, Output>,
): Transform<Input, Keyed<Output>> {
  return beam.groupBy(keyOf, 'key').combining(itself, combiner, 'value');
}

/** Elements by their key and window, all of them together. `keyOf` is a registered function. */
export const groupPerKey = <Input>(
  keyOf: (input: Input) => string,
): Transform<Input, Keyed<Iterable<Input>>> => beam.groupBy(keyOf, 'key');

/** Fixed windows of whole seconds since the epoch. */
export const fixedWindows = <T>(seconds: number): Transform<T, T> =>
  beam.withName(`windows of ${seconds} s`, beam.windowInto(beam.fixedWindows(seconds)));

export const itself = <Input>(input: Input): Input => input;

type Element = WindowedValue<Keyed<unknown>>;

/** What one key has in one window. */
interface Group<State> {
  readonly key: string;
  readonly window: Window;
  state: State;
}

/** How a grouping gathers: what it begins with, what a value does to it, and what it hands on at the end. */
interface Gathering<State> {
  begin(): State;
  add(state: State, value: unknown): State;
  end(state: State): unknown;
}

const ONLY_PANE: PaneInfo = inGlobalWindow(null).pane;

/** The end of a window, which is when what was gathered in it is. */
const endOf = (window: object): BeamInstant => (window as { maxTimestamp(): BeamInstant }).maxTimestamp();

/** Our own keys are text; those of others are told apart as well. */
const textOf = (key: unknown): string => (typeof key === 'string' ? key : JSON.stringify(key));

function groupingOperator<State>(transformId: string, receiver: Receiver, gathering: Gathering<State>) {
  let groups = new Map<string, Group<State>>();
  return {
    transformId,
    startBundle: async () => void (groups = new Map()),
    process: ({ value: { key, value }, windows }: Element) => {
      for (const window of windows) {
        const name = `${endOf(window).toString()} ${textOf(key)}`;
        let group = groups.get(name);
        if (group === undefined) groups.set(name, (group = { key, window, state: gathering.begin() }));
        group.state = gathering.add(group.state, value);
      }
      return null;
    },
    finishBundle: async () => {
      for (const [name, { key, window, state }] of groups) {
        // What is handed on is let go at once: the next step may hold it in another form.
        groups.delete(name);
        const value = { key, value: gathering.end(state) };
        const result = receiver.receive({
          ...{ value, windows: [window], pane: ONLY_PANE },
          timestamp: endOf(window),
        });
        if (result !== null) await result;
      }
    },
  };
}

type Construct = Parameters<typeof operators.registerOperatorConstructor>[1];
type Constructed = Parameters<Construct>;

function receiverOf([, transform, context]: Constructed): Receiver {
  const [output] = Object.values(transform.outputs);
  if (output === undefined) throw new Error(`the grouping ${transform.uniqueName} has no output`);
  return context.getReceiver(output);
}

const construct: Construct = (...constructed) => {
  const [id, { spec }] = constructed;
  const { combineFn } = serialize.deserializeFn(
    runnerApi.CombinePayload.fromBinary(spec?.payload ?? new Uint8Array()).combineFn?.payload ??
      new Uint8Array(),
  ) as { combineFn: CombineFn<unknown, unknown, unknown> };
  return groupingOperator(id, receiverOf(constructed), {
    begin: () => combineFn.createAccumulator(),
    add: (accumulator, input) => combineFn.addInput(accumulator, input),
    end: (accumulator) => combineFn.extractOutput(accumulator),
  }) as never;
};
operators.registerOperatorConstructor(COMBINE_PER_KEY_URN, construct);

operators.registerOperatorConstructor(GROUP_BY_KEY_URN, (...constructed) => {
  const gathering: Gathering<unknown[]> = {
    begin: () => [],
    add: (values, value) => {
      values.push(value);
      return values;
    },
    end: (values) => values,
  };
  return groupingOperator(constructed[0], receiverOf(constructed), gathering) as never;
});

register(moduleName(import.meta.url), { itself });
