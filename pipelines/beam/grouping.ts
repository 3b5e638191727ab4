import './compat.ts';
import { apply } from './graph.ts';
import { moduleName, register } from './registration.ts';
import type {
  BeamInstant,
  IOperator,
  OperatorContext,
  PaneInfo,
  PCollection,
  PTransformProto,
  Receiver,
  Transform,
  Window,
  WindowedValue,
} from './sdk.ts';
import { beam, internalTransforms, jsCoders, operators } from './sdk.ts';
import { syncParDo } from './sync-do-fn.ts';
import type { Emit, SyncDoFn } from './sync-do-fn.ts';
import { inGlobalWindow } from './windowed-value.ts';
import { keyedCoder, withCoder, type ElementCoder } from './wire-coder.ts';

export const GROUP_BY_KEY_URN = 'beam:transform:group_by_key:v1';

/** What is grouped: keys are text on every runner. */
export interface Keyed<Value> {
  readonly key: string;
  readonly value: Value;
}

/** Elements with the keys that they are gathered by. */
export class KeyBy<Input> implements SyncDoFn<Input, Keyed<Input>> {
  readonly keyOf: (input: Input) => string;

  constructor(keyOf: (input: Input) => string) {
    this.keyOf = keyOf;
  }

  process(value: Input, emit: Emit<Keyed<Input>>): void {
    emit({ key: this.keyOf(value), value });
  }
}

/** Beam's coders of pairs and of text, so that every runner can group by the key; the value in its own, or in the general one. */
export const keyedByText = <Value>(
  value: ElementCoder<Value> = new jsCoders.GeneralObjectCoder() as unknown as ElementCoder<Value>,
): ElementCoder<Keyed<Value>> => keyedCoder(value);

/** Elements with their keys, as runners group them. `keyOf` is a registered function; `coder` is that of the elements. */
export const keyBy = <Input>(
  keyOf: (input: Input) => string,
  coder?: ElementCoder<Input>,
): Transform<Input, Keyed<Input>> =>
  beam.withName('key', withCoder(syncParDo(new KeyBy(keyOf)), keyedByText(coder)));

/** Keyed elements by their key and window, all values of them as a list. They keep their coders: see keyedCoder. */
export const groupByKey = <Value>(): Transform<Keyed<Value>, Keyed<readonly Value[]>> =>
  internalTransforms.groupByKey();

/** Elements by their key and window, all of them together. `keyOf` is a registered function. */
export const groupPerKey = <Input>(
  keyOf: (input: Input) => string,
): Transform<Input, Keyed<readonly Input[]>> => {
  const grouped = (input: PCollection<Input>): PCollection<Keyed<readonly Input[]>> =>
    apply('group', apply('key', input, keyBy(keyOf)), groupByKey<Input>());
  return beam.withName('group per key', grouped);
};

/** Out of whatever windows they are in: what comes from windows of several lengths can then be grouped together. */
export const oneWindow = <T>(): Transform<T, T> =>
  beam.withName('one window', beam.windowInto(beam.globalWindows()));

/** Fixed windows of whole seconds since the epoch. */
export const fixedWindows = <T>(seconds: number): Transform<T, T> =>
  beam.withName(`windows of ${seconds} s`, beam.windowInto(beam.fixedWindows(seconds)));

export type KeyedElement = WindowedValue<Keyed<unknown>>;
type Element = KeyedElement;

/** What one key has in one window. */
interface Group<State> {
  readonly key: string;
  readonly window: Window;
  state: State;
}

/** How a grouping gathers: what it begins with, what a value does to it, and what it hands on at the end. */
export interface Gathering<State> {
  begin(): State;
  add(state: State, value: unknown): State;
  end(state: State): unknown;
}

const ONLY_PANE: PaneInfo = inGlobalWindow(null).pane;

/** The end of a window, which is when what was gathered in it is. */
const endOf = (window: object): BeamInstant => (window as { maxTimestamp(): BeamInstant }).maxTimestamp();

/** Our own keys are text; those of others are told apart as well. */
const textOf = (key: unknown): string => (typeof key === 'string' ? key : JSON.stringify(key));

/** What is gathered of a bundle, by key and window. */
export interface Groupings {
  readonly size: number;
  add(element: Element): void;
  /** Hands everything on that was gathered so far, and lets go of it. What is added meanwhile begins new groups. */
  handOn(): Promise<void>;
  clear(): void;
}

export function createGroupings<State>(receiver: Receiver, gathering: Gathering<State>): Groupings {
  let groups = new Map<string, Group<State>>();
  return {
    get size() {
      return groups.size;
    },
    add: ({ value: { key, value }, windows }) => {
      for (const window of windows) {
        // As a number, which windows of whole milliseconds differ by: its text is made many times faster than that of 64 bits.
        const name = `${endOf(window).toNumber()} ${textOf(key)}`;
        let group = groups.get(name);
        if (group === undefined) groups.set(name, (group = { key, window, state: gathering.begin() }));
        group.state = gathering.add(group.state, value);
      }
    },
    handOn: async () => {
      const gathered = groups;
      groups = new Map();
      for (const [name, { key, window, state }] of gathered) {
        // What is handed on is let go at once: the next step may hold it in another form.
        gathered.delete(name);
        const value = { key, value: gathering.end(state) };
        const result = receiver.receive({
          ...{ value, windows: [window], pane: ONLY_PANE },
          timestamp: endOf(window),
        });
        if (result !== null) await result;
      }
    },
    clear: () => void (groups = new Map()),
  };
}

/** Gathers all of its input, and hands on at its end. */
export function groupingOperator<State>(
  transformId: string,
  receiver: Receiver,
  gathering: Gathering<State>,
): IOperator {
  const groups = createGroupings(receiver, gathering);
  return {
    transformId,
    startBundle: async () => groups.clear(),
    process: (element) => {
      groups.add(element as Element);
      return null;
    },
    finishBundle: () => groups.handOn(),
  };
}

export function receiverOf({ outputs, uniqueName }: PTransformProto, context: OperatorContext): Receiver {
  const [output] = Object.values(outputs);
  if (output === undefined) throw new Error(`${uniqueName} has no output`);
  return context.getReceiver(output);
}

operators.registerOperatorConstructor(GROUP_BY_KEY_URN, (id, transform, context) => {
  const gathering: Gathering<unknown[]> = {
    begin: () => [],
    add: (values, value) => {
      values.push(value);
      return values;
    },
    end: (values) => values,
  };
  return groupingOperator(id, receiverOf(transform, context), gathering);
});

register(moduleName(import.meta.url), { KeyBy });
