import './compat.ts';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type {
  CancelJobResponse,
  GetJobsResponse,
  JobInfo,
  JobMessagesResponse,
  JobStateEvent,
  PrepareJobResponse,
  RunJobResponse,
} from 'apache-beam/proto/beam_job_api';
import type { Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import type { Struct } from 'apache-beam/proto/google/protobuf/struct';
import { grpc, jobApi, jobClients } from './sdk.ts';

/** A job's state in Beam's words. */
export type JobState = keyof typeof jobApi.JobState_Enum;

/** The states that a job never leaves. */
export const FINAL_STATES: ReadonlySet<JobState> = new Set([
  'DONE',
  'FAILED',
  'CANCELLED',
  'UPDATED',
  'DRAINED',
]);

/** How long the service may take to accept connections. */
const CONNECT_MS_MAX = 5_000;
/** A service translates the pipeline before it answers. */
const SUBMIT_MS_MAX = 120_000;
const ASK_MS_MAX = 10_000;

/** Nothing answers as a job service, or not in time. Whether a call was carried out is not known. */
export class JobServiceUnavailable extends Error {
  constructor(endpoint: string, reason: string, options?: ErrorOptions) {
    super(`the job service ${endpoint} does not answer: ${reason}`, options);
    this.name = 'JobServiceUnavailable';
  }
}

/** The job service answered, and says no. */
export class JobRefused extends Error {
  constructor(call: string, reason: string, options?: ErrorOptions) {
    super(`the job service refused to ${call}: ${reason}`, options);
    this.name = 'JobRefused';
  }
}

/** What runners implement of Beam's job service, over one connection. Its calls throw JobServiceUnavailable and JobRefused. */
export interface JobService {
  readonly endpoint: string;
  /** The preparation's id. */
  prepare(name: string, proto: PipelineProto, options: Struct): Promise<string>;
  /** The job's id. */
  run(preparationId: string): Promise<string>;
  state(jobId: string): Promise<JobState>;
  cancel(jobId: string): Promise<JobState>;
  /** All that it remembers, ended ones too. */
  jobs(): Promise<readonly JobInfo[]>;
  /** Messages and changes of state, until the job has ended or `cancel` is called. */
  messages(jobId: string): ClientReadableStream<JobMessagesResponse>;
  close(): void;
}

/** Connects to `host:port`. A message may be of any size: a pipeline is one. */
export async function openJobService(endpoint: string): Promise<JobService> {
  const client = new jobClients.JobServiceClient(endpoint, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  try {
    await connected(client, endpoint);
  } catch (error) {
    client.close();
    throw error;
  }
  const ask = caller(endpoint);
  return {
    endpoint,
    prepare: async (jobName, pipeline, pipelineOptions) => {
      const request = { jobName, pipeline, pipelineOptions };
      const prepared = await ask<PrepareJobResponse>('prepare the job', SUBMIT_MS_MAX, (options, done) =>
        client.prepare(request, options, done),
      );
      return prepared.preparationId;
    },
    run: async (preparationId) => {
      // Without a retrieval token: nothing was staged.
      const request = { preparationId, retrievalToken: '' };
      const ran = await ask<RunJobResponse>('run the job', SUBMIT_MS_MAX, (options, done) =>
        client.run(request, options, done),
      );
      return ran.jobId;
    },
    state: async (jobId) =>
      stateOf(
        await ask<JobStateEvent>('tell the state of the job', ASK_MS_MAX, (options, done) =>
          client.getState({ jobId }, options, done),
        ),
      ),
    cancel: async (jobId) =>
      stateOf(
        await ask<CancelJobResponse>('cancel the job', SUBMIT_MS_MAX, (options, done) =>
          client.cancel({ jobId }, options, done),
        ),
      ),
    jobs: async () =>
      (
        await ask<GetJobsResponse>('list its jobs', ASK_MS_MAX, (options, done) =>
          client.getJobs({}, options, done),
        )
      ).jobInfo,
    messages: (jobId) => client.getMessageStream({ jobId }),
    close: () => client.close(),
  };
}

/** The state by its name; what a newer runner may add is none that we know. */
export const stateOf = ({ state }: { readonly state: number }): JobState =>
  (jobApi.JobState_Enum[state] as JobState | undefined) ?? 'UNSPECIFIED';

type Client = InstanceType<typeof jobClients.JobServiceClient>;

const connected = (client: Client, endpoint: string): Promise<void> =>
  new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + CONNECT_MS_MAX, (error) => {
      if (error === undefined || error === null) resolve();
      else reject(new JobServiceUnavailable(endpoint, 'it accepts no connection', { cause: error }));
    });
  });

type Done<Response> = (error: ServiceError | null, response?: Response) => void;
type Call<Response> = (options: { readonly deadline: number }, done: Done<Response>) => unknown;

const caller =
  (endpoint: string) =>
  <Response>(what: string, limitMs: number, call: Call<Response>): Promise<Response> =>
    new Promise((resolve, reject) => {
      call({ deadline: Date.now() + limitMs }, (error, response) => {
        if (response !== undefined && error === null) resolve(response);
        else reject(failureOf(endpoint, what, error));
      });
    });

/** Codes with which the transport, not the service, answers. */
const TRANSPORT_CODES: ReadonlySet<number> = new Set([
  grpc.status.UNAVAILABLE,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.CANCELLED,
]);

function failureOf(endpoint: string, what: string, error: ServiceError | null): Error {
  if (error === null) return new JobRefused(what, 'it gave no answer');
  const { code, details } = error;
  return TRANSPORT_CODES.has(code)
    ? new JobServiceUnavailable(endpoint, `${details} (${what})`, { cause: error })
    : new JobRefused(what, details, { cause: error });
}
