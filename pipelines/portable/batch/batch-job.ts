import type { BuildGraph } from '#pipelines/beam/graph.ts';
import { buildPipeline } from '#pipelines/beam/graph.ts';
import { impulse } from '#pipelines/beam/fan-out.ts';
import type { PipelineProto } from '#pipelines/beam/sdk.ts';

/** A graph from one element on, whatever it is. */
export type BuildBatchGraph = BuildGraph<unknown>;

/** Runs a bounded job to its end. Rejects when it does not end as done. */
export type RunJob = (name: string, build: BuildBatchGraph, signal?: AbortSignal) => Promise<void>;

/** The graph as a pipeline of its own, whose element is an impulse. */
export const boundedPipeline = (build: BuildBatchGraph): PipelineProto =>
  buildPipeline((root) => build(impulse(root)));
