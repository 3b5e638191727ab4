/** The resource `projects.locations.jobs` of the Dataflow API, version v1b3: the fields that we send. */
export interface DataflowJob {
  readonly projectId: string;
  readonly location: string;
  readonly name: string;
  readonly type: 'JOB_TYPE_STREAMING' | 'JOB_TYPE_BATCH';
  readonly environment: JobEnvironment;
  readonly labels: Readonly<Record<string, string>>;
  /** None: the pipeline lies in Cloud Storage. */
  readonly steps: readonly never[];
  /** One job is made for one id, however often it is asked for. */
  readonly clientRequestId?: string;
  /** The job that this one takes the place of, with what it holds. */
  readonly replaceJobId?: string;
  /** Where steps of the replaced job have other names in this one: old names to new ones. */
  readonly transformNameMapping?: Readonly<Record<string, string>>;
}

export interface JobEnvironment {
  readonly userAgent: { readonly name: string; readonly version: string };
  readonly version: { readonly job_type: string; readonly major: string };
  readonly experiments: readonly string[];
  readonly serviceOptions: readonly string[];
  readonly serviceAccountEmail: string;
  readonly serviceKmsKeyName?: string;
  /** `storage.googleapis.com/bucket/folder`. */
  readonly tempStoragePrefix: string;
  /** What workers are told, under `options`; shown to everybody who may see the job. */
  readonly sdkPipelineOptions: {
    readonly options: Readonly<Record<string, unknown>>;
    readonly display_data: readonly DisplayData[];
  };
  readonly workerPools: readonly [WorkerPool];
  readonly streamingMode?: 'STREAMING_MODE_EXACTLY_ONCE' | 'STREAMING_MODE_AT_LEAST_ONCE';
}

export interface DisplayData {
  readonly key: string;
  readonly namespace: string;
  readonly type: 'STRING';
  readonly value: string;
}

export interface WorkerPool {
  readonly kind: 'harness';
  readonly machineType: string;
  readonly numWorkers: number;
  readonly diskSizeGb: number;
  readonly numThreadsPerWorker?: number;
  readonly ipConfiguration: 'WORKER_IP_PRIVATE';
  readonly subnetwork: string;
  readonly autoscalingSettings: {
    readonly algorithm: 'AUTOSCALING_ALGORITHM_BASIC' | 'AUTOSCALING_ALGORITHM_NONE';
    readonly maxNumWorkers: number;
  };
  readonly workerHarnessContainerImage: string;
  readonly sdkHarnessContainerImages: readonly ContainerImage[];
}

/** The containers of one environment of the pipeline. */
export interface ContainerImage {
  readonly containerImage: string;
  readonly environmentId: string;
  readonly capabilities: readonly string[];
  readonly useSingleCorePerContainer: boolean;
}

/** States after which nothing changes any more. */
const ENDED = new Set([
  'JOB_STATE_DONE',
  'JOB_STATE_FAILED',
  'JOB_STATE_CANCELLED',
  'JOB_STATE_UPDATED',
  'JOB_STATE_DRAINED',
]);

export const hasEnded = (state: string): boolean => ENDED.has(state);
