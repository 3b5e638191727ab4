import './compat.ts';
import type { Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import type { PCollection, PTransformProto, Transform } from './sdk.ts';
import { beam, jsCoders, pipelines, runnerApi } from './sdk.ts';

/** A graph from one source on: what embedded, fleet and portable mode have in common. */
export type BuildGraph<T> = (source: PCollection<T>) => void;

/** The urn of a source that is given its elements by whoever runs the graph. */
export const INJECT_URN = 'millrace:source:inject:v1';

/** Applies a transform under a name. The SDK's own `apply` loses the type of the result, and names steps after their source text. */
export function apply<I, O>(name: string, input: PCollection<I>, transform: Transform<I, O>): PCollection<O> {
  const named = (collection: PCollection<I>): PCollection<O> => collection.apply(transform) as PCollection<O>;
  return input.apply<PCollection<O>>(beam.withName(name, named)) as PCollection<O>;
}

/** All elements of all the collections, which must be in the same windows. */
export function flatten<T>(name: string, inputs: readonly PCollection<T>[]): PCollection<T> {
  return beam.P([...inputs]).apply(beam.withName(name, beam.flatten<T>()));
}

export interface Graph {
  readonly proto: PipelineProto;
  readonly sourceTransformId: string;
  readonly sourceCollectionId: string;
}

/** Where a pipeline of a distributed runner begins. */
export type Root = InstanceType<typeof beam.Root>;

/** A whole pipeline, with its sources in it: what is submitted to a distributed runner. */
export function buildPipeline(build: (root: Root) => void): PipelineProto {
  const pipeline = new pipelines.Pipeline();
  build(new beam.Root(pipeline));
  return pipeline.getProto();
}

/** The graph as a Beam pipeline whose source is one transform with INJECT_URN. */
export function buildGraph<T>(build: BuildGraph<T>): Graph {
  const pipeline = new pipelines.Pipeline();
  const inject = (
    _root: InstanceType<typeof beam.Root>,
    into: typeof pipeline,
    transform: PTransformProto,
  ): PCollection<T> => {
    transform.spec = runnerApi.FunctionSpec.create({ urn: INJECT_URN });
    return into.createPCollectionInternal<T>(new jsCoders.GeneralObjectCoder());
  };
  const source = new beam.Root(pipeline).apply(beam.withName('source', inject));
  const proto = pipeline.getProto();
  const [sourceTransformId = ''] = proto.rootTransformIds;
  build(source);
  return { proto, sourceTransformId, sourceCollectionId: source.getId() };
}
