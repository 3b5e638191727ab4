import './compat.ts';
import { createInFlight } from './in-flight.ts';
import type { InFlight } from './in-flight.ts';
import { gatherResults } from './operator.ts';
import type { Disposable } from './operator.ts';
import { bindContext, eachWindow } from './par-do-context.ts';
import { parDoTransform, registerDoFnUrn } from './par-do.ts';
import type { ParDoParts, ParDoPayload } from './par-do.ts';
import type { ProcessResult, Transform, WindowedValue } from './sdk.ts';

export const ASYNC_DO_FN_URN = 'millrace:dofn:async:v1';

type MaybePromise<T> = T | Promise<T>;

/**
 * A DoFn that may wait: a sink. Calls of process overlap, up to `maxInFlight`; finishBundle is called when all have ended,
 * and the bundle succeeds when it has. The first error fails the bundle.
 * It is an instance of a registered class with plain fields; each operator gets its own copy of it.
 */
export interface AsyncDoFn<I, O = never, C = undefined> {
  /** Once for each copy, before its first bundle. */
  setup?(): MaybePromise<void>;
  startBundle?(context: C): MaybePromise<void>;
  /**
   * Returns outputs, or nothing: a DoFn that only keeps the element until finishBundle costs no promise. Outputs that come one by one are read no
   * faster than those behind take them: so a source of any length is never held.
   */
  process(element: I, context: C): MaybePromise<Iterable<O> | void> | AsyncIterable<O>;
  /** Returns whole windowed values, since a bundle may hold elements of many windows: see inGlobalWindow. */
  finishBundle?(context: C): MaybePromise<Iterable<WindowedValue<O>> | void>;
  /** Once, when the copy is not used any more. As elsewhere in Beam this is not promised: a process may be killed. */
  teardown?(): MaybePromise<void>;
}
export interface AsyncParDoOptions<C> {
  /** Parameters such as windowParam() and counter(), usable inside process. */
  readonly context?: C;
  /** Calls of process in flight at which its producer has to wait. */
  readonly maxInFlight?: number;
}

type Element = WindowedValue<unknown>;
type Outputs = Iterable<unknown> | void | null;
type Streamed = AsyncIterable<unknown>;
interface Payload extends ParDoPayload<AsyncDoFn<unknown, unknown, unknown>> {
  readonly maxInFlight: number;
}

export const DEFAULT_MAX_IN_FLIGHT = 64;

/** A ParDo of a DoFn that may wait. To runners it is an ordinary ParDo. */
export function asyncParDo<I, O = never, C = undefined>(
  doFn: AsyncDoFn<I, O, C>,
  { context, maxInFlight = DEFAULT_MAX_IN_FLIGHT }: AsyncParDoOptions<C> = {},
): Transform<I, O> {
  if (!Number.isSafeInteger(maxInFlight) || maxInFlight < 1)
    throw new RangeError('maxInFlight is an integer above 0');
  const payload = { doFn, maxInFlight, ...(context ? { context } : {}) };
  return parDoTransform('asyncParDo', ASYNC_DO_FN_URN, payload);
}

const isStreamed = (value: MaybePromise<Outputs> | Streamed): value is Streamed =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

const isPromise = (value: unknown): value is Promise<Outputs> =>
  typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';

/** The outputs of an element are where and when the element was. */
function createEmit({ receiver }: ParDoParts<Payload>) {
  return (outputs: Outputs, { windows, pane, timestamp }: Element): ProcessResult => {
    if (outputs === undefined || outputs === null) return null;
    return gatherResults((add) => {
      for (const value of outputs) add(receiver.receive({ value, windows, pane, timestamp }));
    });
  };
}

function createProcess(parts: ParDoParts<Payload>, inFlight: InFlight) {
  const { transformId, operatorContext } = parts;
  const { doFn, context } = parts.payload;
  const emit = createEmit(parts);
  const emitEach = async (outputs: Streamed, { windows, pane, timestamp }: Element): Promise<void> => {
    for await (const value of outputs) {
      const result = parts.receiver.receive({ value, windows, pane, timestamp });
      if (result !== null) await result;
    }
  };
  const settle = (outputs: MaybePromise<Outputs> | Streamed, element: Element): ProcessResult => {
    if (outputs === undefined || outputs === null) return null;
    if (isStreamed(outputs)) return inFlight.track(emitEach(outputs, element));
    if (!isPromise(outputs)) return emit(outputs, element);
    return inFlight.track(outputs.then((value) => emit(value, element) ?? undefined));
  };
  const process = (element: Element): ProcessResult => {
    inFlight.rethrow();
    return settle(doFn.process(element.value, undefined), element);
  };
  // Elements overlap, so each needs parameters of its own.
  const processBound = (element: Element): ProcessResult => {
    inFlight.rethrow();
    const bound = bindContext(transformId, context ?? {}, operatorContext);
    bound.bind(element);
    return settle(doFn.process(element.value, bound.context), element);
  };
  return context ? (element: Element) => eachWindow(element, processBound) : process;
}

function createAsyncOperator(parts: ParDoParts<Payload>): Disposable {
  const { transformId, payload, receiver, operatorContext } = parts;
  const { doFn, maxInFlight } = payload;
  const inFlight = createInFlight(maxInFlight);
  const context = payload.context && bindContext(transformId, payload.context, operatorContext).context;
  let isSetUp = false;
  return {
    transformId,
    startBundle: async () => {
      inFlight.begin();
      if (!isSetUp) await doFn.setup?.();
      isSetUp = true;
      await doFn.startBundle?.(context);
    },
    process: createProcess(parts, inFlight),
    finishBundle: async () => {
      await inFlight.drain();
      inFlight.rethrow();
      for (const output of (await doFn.finishBundle?.(context)) ?? []) await receiver.receive(output);
    },
    dispose: async () => {
      await inFlight.drain();
      if (isSetUp) await doFn.teardown?.();
      isSetUp = false;
    },
  };
}

registerDoFnUrn(ASYNC_DO_FN_URN, createAsyncOperator);
