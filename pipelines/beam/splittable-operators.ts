// The operators of a splittable ParDo. Runners replace it by these steps: pair each element with its restriction, split and size
// the restrictions, process them; and, where a job is drained, truncate what has not been processed yet.
import type { DelayedBundleApplication } from 'apache-beam/proto/beam_fn_api';
import { TRUNCATE_URN } from './capabilities.ts';
import './compat.ts';
import { createInFlight } from './in-flight.ts';
import type { Checkpointing, Disposable } from './operator.ts';
import { registerDoFnUrn } from './par-do.ts';
import type { ParDoPayload } from './par-do.ts';
import { NO_WATERMARK_MS, runRound } from './poll-round.ts';
import type { AnySource, Restricted, Sized } from './poll-round.ts';
import { createResiduals } from './residual.ts';
import { operators, runnerApi, serialize } from './sdk.ts';
import type {
  IOperator,
  OperatorContext,
  ProcessResult,
  PTransformProto,
  Receiver,
  WindowedValue,
} from './sdk.ts';

export const SPLITTABLE_DO_FN_URN = 'millrace:dofn:splittable:v1';

const PAIR_URN = 'beam:transform:sdf_pair_with_restriction:v1';
const SPLIT_URN = 'beam:transform:sdf_split_and_size_restrictions:v1';
const PROCESS_URN = 'beam:transform:sdf_process_sized_element_and_restrictions:v1';

/** Elements of one bundle that are read at the same time: their readers wait beside each other, not one after the other. */
const MAX_ROUNDS_IN_FLIGHT = 64;
/** Nobody knows how much there is to read, and runners only compare sizes. */
const SIZE = 1;

interface Parts {
  readonly transformId: string;
  readonly transform: PTransformProto;
  readonly context: OperatorContext;
  readonly source: AnySource;
  readonly receiver: Receiver;
}

const begun = (): Promise<void> => Promise.resolve();

/** An operator that makes of each element one other. */
function eachElement({ transformId, receiver }: Parts, valueOf: (value: unknown) => unknown): IOperator {
  const process = (element: WindowedValue<unknown>): ProcessResult =>
    receiver.receive({ ...element, value: valueOf(element.value) });
  return { transformId, startBundle: begun, process, finishBundle: begun };
}

const pair = (parts: Parts): IOperator =>
  eachElement(parts, (element): Restricted => {
    const restriction = parts.source.restriction(element);
    return { key: element, value: { key: restriction, value: NO_WATERMARK_MS } };
  });

/** One restriction for each element, whole: whoever wants more readers gives more elements. */
const splitAndSize = (parts: Parts): IOperator =>
  eachElement(parts, (restricted): Sized => ({ key: restricted as Restricted, value: SIZE }));

/** What a drained job has not read stays where it is: its source has no end that could be waited for. */
const truncate = ({ transformId }: Parts): IOperator => ({
  transformId,
  startBundle: begun,
  process: () => null,
  finishBundle: begun,
});

function processElements(parts: Parts): Disposable & Checkpointing {
  const { transformId, transform, context, source, receiver } = parts;
  const residualOf = createResiduals(transformId, transform, context);
  const rounds = createInFlight(MAX_ROUNDS_IN_FLIGHT);
  let ending = new AbortController();
  let residuals: DelayedBundleApplication[] = [];
  let isSetUp = false;
  const round = async (element: WindowedValue<Sized>): Promise<void> => {
    try {
      const unread = await runRound(source, element, receiver, ending.signal);
      if (unread !== undefined) residuals.push(residualOf(unread));
    } catch (error) {
      // The bundle fails: nobody will have what its other rounds are still waiting for.
      ending.abort();
      throw error;
    }
  };
  return {
    transformId,
    startBundle: async () => {
      rounds.begin();
      ending = new AbortController();
      residuals = [];
      if (!isSetUp) await source.setup?.();
      isSetUp = true;
    },
    process: (element) => {
      rounds.rethrow();
      return rounds.track(round(element as WindowedValue<Sized>));
    },
    finishBundle: async () => {
      await rounds.drain();
      rounds.rethrow();
    },
    checkpoint: () => ending.abort(),
    takeResiduals: () => residuals.splice(0),
    dispose: async () => {
      // The bundle has failed elsewhere, or the worker ends.
      ending.abort();
      await rounds.drain();
      if (isSetUp) await source.teardown?.();
      isSetUp = false;
    },
  };
}

function registerStep(urn: string, construct: (parts: Parts) => IOperator): void {
  operators.registerOperatorConstructor(urn, (transformId, transform, context) => {
    const { doFn } = runnerApi.ParDoPayload.fromBinary(transform.spec?.payload ?? new Uint8Array());
    const [output] = Object.values(transform.outputs);
    if (doFn?.urn !== SPLITTABLE_DO_FN_URN || output === undefined)
      throw new Error(`${transform.uniqueName} is no step of a splittable ParDo of ours`);
    const { doFn: source } = serialize.deserializeFn(doFn.payload) as ParDoPayload<AnySource>;
    return construct({ transformId, transform, context, source, receiver: context.getReceiver(output) });
  });
}

registerStep(PAIR_URN, pair);
registerStep(SPLIT_URN, splitAndSize);
registerStep(TRUNCATE_URN, truncate);
registerStep(PROCESS_URN, processElements);
registerDoFnUrn(SPLITTABLE_DO_FN_URN, ({ transformId }) => {
  throw new Error(
    `${transformId} is a splittable ParDo, which only a runner can run: it keeps what is left to read`,
  );
});
