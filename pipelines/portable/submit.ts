import { readBackend } from '#infra/cloud/backend.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import { LOCAL_FEEDS } from '#infra/local/open-local.ts';
import { buildPipeline } from '#pipelines/beam/graph.ts';
import type { NativeRead } from '#pipelines/beam/native-read.ts';
import { submitJob, type Job } from '#pipelines/beam/job-client.ts';
import type { PipelineProto } from '#pipelines/beam/sdk.ts';
import type { SubmittedOptions } from '#pipelines/beam/submitted-options.ts';
import { buildPortableUsageGraph } from './graph.ts';
import { expandPubsubReads, pubsubReadOptions, readCloudForJava, type JavaReading } from './java-read.ts';
import type { PipelineEngine } from './open-engine.ts';
import { processWorkers } from './worker-environment.ts';

export interface UsageJobSettings {
  readonly name: string;
  /** Of each feed. */
  readonly readers?: number;
  /** Of the stores: as workers read them. */
  readonly environment: NodeJS.ProcessEnv;
}

/** The usage graph over all feeds that the environment names, as a pipeline for any runner. */
export function usagePipeline({
  environment,
  readers,
  reads,
}: Pick<UsageJobSettings, 'environment' | 'readers'> & {
  /** For each feed what the engine reads by itself. */
  readonly reads?: ReadonlyMap<string, NativeRead>;
}): PipelineProto {
  const feeds =
    readBackend(environment) === 'embedded'
      ? Object.values(LOCAL_FEEDS)
      : readCloudSettings(environment).pubsub.feeds;
  return buildPipeline((root) =>
    buildPortableUsageGraph(root, {
      feeds,
      ...(readers !== undefined && { readersPerFeed: readers }),
      ...(reads !== undefined && { reads }),
    }),
  );
}

/** Submits the usage job to an engine whose workers are processes of its machines. Throws as `submitJob` and `expandRead` do. */
export async function submitUsage(
  engine: Pick<PipelineEngine, 'jobEndpoint' | 'options' | 'javaReading'>,
  settings: UsageJobSettings,
): Promise<Job> {
  const { javaReading, jobEndpoint: endpoint } = engine;
  const { reads, options } = javaReading === undefined ? NO_READS : await readsOf(javaReading, settings);
  return submitJob({
    ...{ endpoint, name: settings.name },
    proto: usagePipeline({ ...settings, ...(reads !== undefined && { reads }) }),
    environment: processWorkers({ ...settings.environment, MILLRACE_JOB: settings.name }),
    options: { ...engine.options, ...options },
  });
}

interface Reads {
  readonly reads?: ReadonlyMap<string, NativeRead>;
  readonly options: SubmittedOptions;
}

const NO_READS: Reads = { options: {} };

async function readsOf(
  javaReading: JavaReading,
  { environment }: Pick<UsageJobSettings, 'environment'>,
): Promise<Reads> {
  const cloud = readCloudForJava(environment);
  const reads = await expandPubsubReads(javaReading, cloud);
  return { reads, options: { ...pubsubReadOptions(cloud), ...(await javaReading.goingOn()) } };
}
