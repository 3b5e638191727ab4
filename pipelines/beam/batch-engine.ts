import type { Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import { createLane, descriptorOf, dispose, refuseSplittableParDos, runBundle } from './bundle-engine.ts';
import { buildGraph } from './graph.ts';
import type { BuildGraph } from './graph.ts';
import { COMBINE_PER_KEY_URN } from './combining.ts';
import { GROUP_BY_KEY_URN } from './grouping.ts';
import { runnerApi } from './sdk.ts';

/** Runs a batch graph, with Beam's own windows, groupings and combiners, on this machine. */
export interface BatchEngine<T> {
  /**
   * Runs the graph over a bounded source, which is read no faster than the graph takes it. A combine holds one accumulator a key and window, a
   * grouping its elements, and nothing else is held. Resolves when every DoFn has finished; rejects with the first error.
   */
  run(source: AsyncIterable<T>): Promise<void>;
}

/**
 * The graph runs as one bundle: operators end from the first to the last, so a grouping that hands on what it holds when it ends has had all
 * of its input. A distributed runner is given the same graph unchanged, and shuffles where this engine keeps a map.
 */
export function createBatchEngine<T>(build: BuildGraph<T>): BatchEngine<T> {
  const graph = buildGraph(build);
  refuseSplittableParDos(graph);
  const descriptor = descriptorOf({ proto: asLeaves(graph.proto) });
  let runs = 0;
  return {
    run: async (source) => {
      const lane = createLane(descriptor, graph.sourceTransformId);
      runs += 1;
      await runBundle(lane, source, `batch-${runs}`);
      await dispose(lane);
    },
  };
}

const GROUPINGS = new Set([COMBINE_PER_KEY_URN, GROUP_BY_KEY_URN]);

/** Beam writes a combine as a composite, so that a runner that knows none can do it by grouping; this one takes it whole. */
function asLeaves(proto: PipelineProto): PipelineProto {
  const clone = runnerApi.Pipeline.clone(proto);
  const { components } = clone;
  if (components === undefined) return clone;
  const parts = new Set<string>();
  const collect = (id: string): void => {
    for (const part of components.transforms[id]?.subtransforms ?? []) {
      parts.add(part);
      collect(part);
    }
  };
  const groupings = Object.entries(components.transforms).filter(([, { spec }]) =>
    GROUPINGS.has(spec?.urn ?? ''),
  );
  for (const [id] of groupings) collect(id);
  for (const [, transform] of groupings) transform.subtransforms = [];
  components.transforms = Object.fromEntries(
    Object.entries(components.transforms).filter(([id]) => !parts.has(id)),
  );
  return clone;
}
