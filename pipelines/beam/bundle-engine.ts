import { buildGraph, INJECT_URN } from './graph.ts';
import type { BuildGraph, Graph } from './graph.ts';
import { disposeOperators } from './operator.ts';
import type { BundleProcessor } from './repairs/bundle-processor.ts';
import type { IOperator } from './sdk.ts';
import { fnApi, FLATTEN_URN, operators, PAR_DO_URN, runnerApi, workers } from './sdk.ts';
import { SdkMoved } from './sdk-moved.ts';
import { inGlobalWindow } from './windowed-value.ts';

/** Runs a graph on this machine, a bundle at a time, with the SDK's own operators. */
export interface BundleEngine<T> {
  /**
   * Runs one bundle through the graph. Resolves when every DoFn has finished it, rejects with the first error; the bundle may then
   * be run again, and nothing of the failed attempt is left, neither buffered nor in flight.
   */
  run(elements: readonly T[]): Promise<void>;
  /** Waits for the bundles that run, then tears the DoFns down. */
  close(): Promise<void>;
}
export interface BundleEngineOptions {
  /** Bundles that may run at the same time, each on its own copy of the DoFns. */
  readonly maxConcurrentBundles?: number;
}

interface Injector extends IOperator {
  /** A list, or what is read while the bundle runs: then no more of it is in memory than is on its way. */
  elements: readonly unknown[] | AsyncIterable<unknown>;
}
/** The SDK's processor of one bundle at a time, and the operator its elements come from. */
interface Lane {
  readonly processor: BundleProcessor;
  readonly injector: Injector;
}

/** Without a grouping a graph is one stage, and a stage is what a bundle processor runs. */
const RUNNABLE = new Set([INJECT_URN, PAR_DO_URN, FLATTEN_URN]);

operators.registerOperatorConstructor(INJECT_URN, (transformId, transform, context): Injector => {
  const [output] = Object.values(transform.outputs);
  if (output === undefined) throw new Error('the source has no output');
  const receiver = context.getReceiver(output);
  const injector: Injector = {
    transformId,
    elements: [],
    startBundle: () => Promise.resolve(),
    process: () => {
      throw new Error('a source takes no elements');
    },
    finishBundle: async () => {
      const { elements } = injector;
      if (!isList(elements)) return inject(elements, receiver);
      // By index: an iterator would make an object for each element.
      for (let i = 0; i < elements.length; i++) {
        const result = receiver.receive(inGlobalWindow(elements[i]));
        // Awaiting only promises keeps a bundle of synchronous DoFns in one turn of the event loop.
        if (result !== null) await result;
      }
    },
  };
  return injector;
});

const isList = (elements: Injector['elements']): elements is readonly unknown[] => Array.isArray(elements);

async function inject(
  elements: AsyncIterable<unknown>,
  receiver: { receive(value: ReturnType<typeof inGlobalWindow>): Promise<void> | null },
): Promise<void> {
  for await (const element of elements) {
    const result = receiver.receive(inGlobalWindow(element));
    if (result !== null) await result;
  }
}

/** What is left to read of a splittable ParDo is the runner's to keep: here it would be read once, and then taken for read. */
export function refuseSplittableParDos({ proto }: Pick<Graph, 'proto'>): void {
  for (const { uniqueName, spec } of Object.values(proto.components?.transforms ?? {})) {
    if (spec?.urn !== PAR_DO_URN) continue;
    const { restrictionCoderId } = runnerApi.ParDoPayload.fromBinary(spec.payload);
    if (restrictionCoderId !== '')
      throw new Error(`${uniqueName} is splittable: it needs a distributed runner`);
  }
}

function refuseForeignTransforms({ proto }: Graph): void {
  for (const { uniqueName, spec, subtransforms } of Object.values(proto.components?.transforms ?? {})) {
    if (spec !== undefined && subtransforms.length === 0 && !RUNNABLE.has(spec.urn)) {
      throw new Error(`the bundle engine cannot run ${uniqueName}: ${spec.urn} is not part of one stage`);
    }
  }
}

export const descriptorOf = ({ proto: { components } }: Pick<Graph, 'proto'>) =>
  fnApi.ProcessBundleDescriptor.create({
    id: 'graph',
    transforms: components?.transforms ?? {},
    pcollections: components?.pcollections ?? {},
    windowingStrategies: components?.windowingStrategies ?? {},
    coders: components?.coders ?? {},
  });

export function createLane(descriptor: ReturnType<typeof descriptorOf>, sourceTransformId: string): Lane {
  const remote = (): never => {
    throw new Error('the bundle engine has no runner to talk to');
  };
  const processor = new workers.BundleProcessor(descriptor, remote, remote, [INJECT_URN]);
  const injector = processor.operators.get(sourceTransformId) as Injector | undefined;
  if (injector === undefined) throw new SdkMoved('BundleProcessor.operators');
  return { processor, injector };
}

export const dispose = ({ processor }: Lane): Promise<unknown[]> =>
  disposeOperators(processor.operators.values());

/** An idle lane is used again; after an error it is not: the processor has disposed of its operators, and the next bundle gets a new one. */
function createLanes(create: () => Lane, max: number) {
  // The first lane is made at once, so that a graph that cannot run is refused where it is built.
  const idle = [create()];
  let busy = 0;
  const acquire = (): Lane => {
    if (busy === max) throw new Error(`${max} bundles are running already`);
    const lane = idle.pop() ?? create();
    busy += 1;
    return lane;
  };
  return {
    use: async (work: (lane: Lane) => Promise<void>): Promise<void> => {
      const lane = acquire();
      try {
        await work(lane);
        idle.push(lane);
      } finally {
        busy -= 1;
      }
    },
    dispose: async (): Promise<void> => {
      const errors = (await Promise.all(idle.splice(0).map(dispose))).flat();
      if (errors.length > 0) throw new AggregateError(errors, 'a DoFn could not be torn down');
    },
  };
}

export async function runBundle(
  { processor, injector }: Lane,
  elements: Injector['elements'],
  id: string,
): Promise<void> {
  injector.elements = elements;
  try {
    await processor.process(id);
  } finally {
    injector.elements = [];
  }
}

/** Builds the graph once. A graph with a grouping, a side input or a source of its own is refused here. */
export function createBundleEngine<T>(
  build: BuildGraph<T>,
  options: BundleEngineOptions = {},
): BundleEngine<T> {
  const graph = buildGraph(build);
  refuseForeignTransforms(graph);
  refuseSplittableParDos(graph);
  const descriptor = descriptorOf(graph);
  const lanes = createLanes(
    () => createLane(descriptor, graph.sourceTransformId),
    options.maxConcurrentBundles ?? 1,
  );
  const running = new Set<Promise<void>>();
  let bundles = 0;
  let closed = false;
  return {
    run: async (elements) => {
      if (closed) throw new Error('the bundle engine is closed');
      bundles += 1;
      const id = `bundle-${bundles}`;
      const bundle = lanes.use((lane) => runBundle(lane, elements, id));
      running.add(bundle);
      await bundle.finally(() => running.delete(bundle));
    },
    close: async () => {
      closed = true;
      await Promise.allSettled(running);
      await lanes.dispose();
    },
  };
}
