import { createHash } from 'node:crypto';
import type { ContainerImage, DataflowJob, DisplayData, WorkerPool } from '#infra/engines/dataflow/job.ts';
import type { StoragePlace } from '#infra/engines/dataflow/staging.ts';
import { pinEnvironment } from '#pipelines/beam/environments.ts';
import { assertPortable } from '#pipelines/beam/portability.ts';
import { registeredModules } from '#pipelines/beam/registration.ts';
import { runnerApi, version, type PipelineProto } from '#pipelines/beam/sdk.ts';
import { isStreaming } from '#pipelines/beam/submitted-options.ts';
import { assertRunnerV2 } from './runner-v2.ts';
import type { DataflowSettings } from './settings.ts';

/** A job as it would be asked for, and the file that goes before it. */
export interface PreparedJob {
  readonly job: DataflowJob;
  /** The pipeline, as a `Pipeline` message of Beam's model. */
  readonly pipeline: { readonly place: StoragePlace; readonly bytes: Uint8Array<ArrayBuffer> };
}

/** Runner v2 and what it is made of: the same that Beam's own SDKs ask for, since each of these names a part of it. */
const EXPERIMENTS = [
  'beam_fn_api',
  'use_runner_v2',
  'use_unified_worker',
  'use_portable_job_submission',
  // One container a machine, which starts a worker for each CPU; without it there is a container for each.
  'use_sibling_sdk_workers',
] as const;
const STREAMING_EXPERIMENTS = ['enable_streaming_engine', 'enable_windmill_service'] as const;
/** The version of what Dataflow and a job of the Fn API expect of each other, as Beam's Python SDK, which submits for TypeScript, says it. */
const ENVIRONMENT_MAJOR = '8';
/** Without it a runner starts a worker for each CPU, which is what a process that uses one wants. */
const MULTI_CORE_CAPABILITY = 'beam:protocol:multi_core_bundle_processing:v1';
/** Above this Dataflow refuses the description of a job. */
export const REQUEST_BYTES_MAX = 10_000_000;

/**
 * The job that runs the pipeline, as `projects.locations.jobs.create` takes it: the same for the same pipeline and settings, to the last byte.
 * Throws NotPortable and NotForRunnerV2.
 */
export function prepareJob(proto: PipelineProto, settings: DataflowSettings): PreparedJob {
  assertPortable(proto);
  const pinned = pinEnvironment(proto, { kind: 'container', image: settings.image });
  const bytes = new Uint8Array(runnerApi.Pipeline.toBinary(pinned));
  assertRunnerV2(pinned, bytes.length);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const place = below(settings.staging, digest, 'pipeline.pb');
  const job = dataflowJob(pinned, settings, { pipelineUrl: urlOf(place), pipelineProtoHash: digest });
  const size = Buffer.byteLength(JSON.stringify(job));
  if (size > REQUEST_BYTES_MAX) throw new RangeError(`the job's description has ${size} bytes`);
  return { job, pipeline: { place, bytes } };
}

/** What says where the pipeline is and that it is the one that was meant. */
interface StagedPipeline {
  readonly pipelineUrl: string;
  readonly pipelineProtoHash: string;
}

function dataflowJob(pinned: PipelineProto, settings: DataflowSettings, staged: StagedPipeline): DataflowJob {
  const streaming = isStreaming(pinned);
  const experiments = [...EXPERIMENTS, ...(streaming ? STREAMING_EXPERIMENTS : [])];
  const serviceOptions = streaming ? [`min_num_workers=${settings.workers.min}`] : [];
  const mode = settings.streamingMode === 'exactly-once' ? 'EXACTLY_ONCE' : 'AT_LEAST_ONCE';
  return {
    projectId: settings.project,
    location: settings.region,
    name: settings.name,
    type: streaming ? 'JOB_TYPE_STREAMING' : 'JOB_TYPE_BATCH',
    labels: labelsOf(settings),
    steps: [],
    environment: {
      userAgent: { name: 'Apache Beam SDK for TypeScript', version: version.version },
      version: { job_type: streaming ? 'FNAPI_STREAMING' : 'FNAPI_BATCH', major: ENVIRONMENT_MAJOR },
      experiments,
      serviceOptions,
      serviceAccountEmail: settings.serviceAccount,
      ...(settings.kmsKey !== undefined && { serviceKmsKeyName: settings.kmsKey }),
      tempStoragePrefix: `storage.googleapis.com/${pathOf(settings.temp)}`,
      ...(streaming && { streamingMode: `STREAMING_MODE_${mode}` as const }),
      sdkPipelineOptions: pipelineOptions(settings, staged, experiments, streaming),
      workerPools: [workerPool(settings, containerImages(pinned))],
    },
  };
}

/** What the service and the workers read. The names are those of Beam's options; workers find ours among them. */
function pipelineOptions(
  settings: DataflowSettings,
  staged: StagedPipeline,
  experiments: readonly string[],
  streaming: boolean,
): DataflowJob['environment']['sdkPipelineOptions'] {
  const shown = {
    image: settings.image,
    release: releaseOf(settings),
    machine_type: settings.machineType,
    workers: `${settings.workers.min} to ${settings.workers.max}`,
  };
  return {
    options: {
      ...staged,
      project: settings.project,
      region: settings.region,
      jobName: settings.name,
      streaming,
      experiments,
      tempLocation: urlOf(settings.temp),
      registered_node_modules: registeredModules(),
      millrace_environment: settings.workerEnvironment,
    },
    display_data: Object.entries(shown).map(([key, value]): DisplayData => ({
      key,
      namespace: 'options',
      type: 'STRING',
      value,
    })),
  };
}

function workerPool(settings: DataflowSettings, images: readonly ContainerImage[]): WorkerPool {
  const { min, max } = settings.workers;
  return {
    kind: 'harness',
    machineType: settings.machineType,
    numWorkers: min,
    diskSizeGb: settings.diskGb,
    ...(settings.threads !== undefined && { numThreadsPerWorker: settings.threads }),
    ipConfiguration: 'WORKER_IP_PRIVATE',
    subnetwork: settings.subnetwork,
    autoscalingSettings: {
      algorithm: min === max ? 'AUTOSCALING_ALGORITHM_NONE' : 'AUTOSCALING_ALGORITHM_BASIC',
      maxNumWorkers: max,
    },
    workerHarnessContainerImage: settings.image,
    sdkHarnessContainerImages: images,
  };
}

const containerImages = ({ components }: PipelineProto): ContainerImage[] =>
  Object.entries(components?.environments ?? {}).map(([environmentId, { payload, capabilities }]) => ({
    containerImage: runnerApi.DockerPayload.fromBinary(payload).containerImage,
    environmentId,
    capabilities,
    useSingleCorePerContainer: !capabilities.includes(MULTI_CORE_CAPABILITY),
  }));

const labelsOf = (settings: DataflowSettings): Record<string, string> => ({
  ...settings.labels,
  application: 'millrace',
  release: releaseOf(settings)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .slice(0, 63),
});

/** The release as the other programs name it; else the beginning of the image's digest. */
const releaseOf = ({ workerEnvironment, image }: DataflowSettings): string =>
  workerEnvironment['MILLRACE_RELEASE'] ?? (image.split('@sha256:')[1] ?? '').slice(0, 12);

const pathOf = ({ bucket, path }: StoragePlace): string => (path === '' ? bucket : `${bucket}/${path}`);
const urlOf = (place: StoragePlace): string => `gs://${pathOf(place)}`;
const below = ({ bucket, path }: StoragePlace, ...names: readonly string[]): StoragePlace => ({
  bucket,
  path: [path, ...names].filter(Boolean).join('/'),
});
