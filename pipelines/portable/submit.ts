import { readBackend } from '#infra/cloud/backend.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import { LOCAL_FEEDS } from '#infra/local/open-local.ts';
import { buildPipeline } from '#pipelines/beam/graph.ts';
import { submitJob, type Job } from '#pipelines/beam/job-client.ts';
import type { PipelineProto } from '#pipelines/beam/sdk.ts';
import { buildPortableUsageGraph } from './graph.ts';
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
}: Pick<UsageJobSettings, 'environment' | 'readers'>): PipelineProto {
  const feeds =
    readBackend(environment) === 'embedded'
      ? Object.values(LOCAL_FEEDS)
      : readCloudSettings(environment).pubsub.feeds;
  return buildPipeline((root) =>
    buildPortableUsageGraph(root, {
      feeds,
      ...(readers !== undefined && { readersPerFeed: readers }),
    }),
  );
}

/** Submits the usage job to an engine whose workers are processes of its machines. Throws as `submitJob` does. */
export const submitUsage = (
  engine: Pick<PipelineEngine, 'jobEndpoint' | 'options'>,
  settings: UsageJobSettings,
): Promise<Job> =>
  submitJob({
    endpoint: engine.jobEndpoint,
    name: settings.name,
    proto: usagePipeline(settings),
    environment: processWorkers(settings.environment),
    options: engine.options,
  });
