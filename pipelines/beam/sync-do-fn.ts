import './compat.ts';
import type { Disposable } from './operator.ts';
import { bindContext, eachWindow } from './par-do-context.ts';
import type { BoundContext } from './par-do-context.ts';
import { parDoTransform, registerDoFnUrn } from './par-do.ts';
import type { ParDoParts, ParDoPayload } from './par-do.ts';
import type { ProcessResult, Transform, WindowedValue } from './sdk.ts';

export const SYNC_DO_FN_URN = 'millrace:dofn:sync:v1';

export type Emit<O> = (output: O) => void;

/**
 * A DoFn that hands each output to `emit`: no array and no iterator for each element, which costs less than the SDK's own.
 * It is an instance of a registered class with plain fields; each operator gets its own copy of it.
 */
export interface SyncDoFn<I, O, C = undefined> {
  /** Once for each copy, before its first bundle. */
  setup?(): void;
  startBundle?(context: C): void;
  /** `emit` may only be called before it returns. */
  process(element: I, emit: Emit<O>, context: C): void;
  /** Emits whole windowed values, since a bundle may hold elements of many windows: see inGlobalWindow. */
  finishBundle?(emit: Emit<WindowedValue<O>>, context: C): void;
  /** Once, when the copy is not used any more. As elsewhere in Beam this is not promised: a process may be killed. */
  teardown?(): void;
}
export interface SyncParDoOptions<C> {
  /** Parameters such as windowParam() and counter(), usable inside process. */
  readonly context?: C;
}

type Element = WindowedValue<unknown>;
type Payload = ParDoPayload<SyncDoFn<unknown, unknown, unknown>>;

/** A ParDo of a DoFn that emits. */
export function syncParDo<I, O, C = undefined>(
  doFn: SyncDoFn<I, O, C>,
  { context }: SyncParDoOptions<C> = {},
): Transform<I, O> {
  return parDoTransform('syncParDo', SYNC_DO_FN_URN, { doFn, ...(context ? { context } : {}) });
}

/** Passes values on and keeps what the consumers ask to be waited for. */
function createEmitter({ receiver }: ParDoParts<Payload>) {
  let waiting: Promise<void>[] | undefined;
  const send = (value: Element): void => {
    const result = receiver.receive(value);
    if (result !== null) (waiting ??= []).push(result);
  };
  const takeWaiting = (): ProcessResult => {
    if (waiting === undefined) return null;
    const all = Promise.all(waiting).then(() => undefined);
    waiting = undefined;
    return all;
  };
  return { send, takeWaiting };
}

/** The hot path of the embedded mode: nothing is allocated for an element but the outputs. */
function createProcess(
  doFn: Payload['doFn'],
  emitter: ReturnType<typeof createEmitter>,
  bound?: BoundContext,
) {
  const { send, takeWaiting } = emitter;
  let current: Element | undefined;
  const emit: Emit<unknown> = (value) => {
    if (current === undefined) throw new Error('emit was called after process had returned');
    send({ value, windows: current.windows, pane: current.pane, timestamp: current.timestamp });
  };
  return (element: Element): ProcessResult => {
    current = element;
    try {
      doFn.process(element.value, emit, bound?.context);
    } catch (error) {
      // The bundle fails with this error; what was emitted before it may fail too, and nobody would wait for it.
      takeWaiting()?.catch(() => undefined);
      throw error;
    } finally {
      current = undefined;
    }
    return takeWaiting();
  };
}

function createSyncOperator(parts: ParDoParts<Payload>): Disposable {
  const { transformId, payload, operatorContext } = parts;
  const { doFn } = payload;
  const bound = payload.context && bindContext(transformId, payload.context, operatorContext);
  const emitter = createEmitter(parts);
  const process = createProcess(doFn, emitter, bound);
  const processBound = (element: Element): ProcessResult => {
    bound?.bind(element);
    return process(element);
  };
  let isSetUp = false;
  return {
    transformId,
    startBundle: async () => {
      if (!isSetUp) doFn.setup?.();
      isSetUp = true;
      doFn.startBundle?.(bound?.context);
    },
    process: bound ? (element) => eachWindow(element, processBound) : process,
    finishBundle: async () => {
      bound?.bind(undefined);
      doFn.finishBundle?.(emitter.send, bound?.context);
      await emitter.takeWaiting();
    },
    dispose: async () => {
      if (isSetUp) doFn.teardown?.();
      isSetUp = false;
    },
  };
}

registerDoFnUrn(SYNC_DO_FN_URN, createSyncOperator);
