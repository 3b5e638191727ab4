import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type {
  CancelJobRequest,
  CancelJobResponse,
  GetJobsResponse,
  JobMessagesRequest,
  JobMessagesResponse,
  JobStateEvent,
  PrepareJobRequest,
  PrepareJobResponse,
  RunJobRequest,
  RunJobResponse,
} from 'apache-beam/proto/beam_job_api';
import type { JobState } from '#pipelines/beam/job-service.ts';
import { grpc, jobApi } from '#pipelines/beam/sdk.ts';

// A runner's job service in miniature, over real gRPC: it takes jobs, runs nothing, and says of them what a test wants it to say.

export interface SubmittedJob {
  readonly id: string;
  readonly request: PrepareJobRequest;
  state: JobState;
}

/** What the service does instead of its work. */
export interface Faults {
  /** Answers these calls with the status and the words. */
  refuse?: { readonly call: 'prepare' | 'run' | 'getState' | 'cancel'; readonly details: string };
  /** Tells nothing by itself: the stream of messages breaks at once. */
  breakStream?: boolean;
  /** A cancelled job goes on. */
  ignoreCancel?: boolean;
}

interface MessageType<T extends object> {
  toBinary(message: T): Uint8Array;
  fromBinary(bytes: Uint8Array): T;
}

/** The SDK has only the client's side of this service. */
function method<Request extends object, Response extends object>(
  name: string,
  request: MessageType<Request>,
  response: MessageType<Response>,
  responseStream = false,
) {
  return {
    path: `/org.apache.beam.model.job_management.v1.JobService/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: (message: Request) => Buffer.from(request.toBinary(message)),
    requestDeserialize: (bytes: Buffer) => request.fromBinary(bytes),
    responseSerialize: (message: Response) => Buffer.from(response.toBinary(message)),
    responseDeserialize: (bytes: Buffer) => response.fromBinary(bytes),
  };
}

const SERVICE = {
  prepare: method('Prepare', jobApi.PrepareJobRequest, jobApi.PrepareJobResponse),
  run: method('Run', jobApi.RunJobRequest, jobApi.RunJobResponse),
  getJobs: method('GetJobs', jobApi.GetJobsRequest, jobApi.GetJobsResponse),
  getState: method('GetState', jobApi.GetJobStateRequest, jobApi.JobStateEvent),
  cancel: method('Cancel', jobApi.CancelJobRequest, jobApi.CancelJobResponse),
  getMessageStream: method('GetMessageStream', jobApi.JobMessagesRequest, jobApi.JobMessagesResponse, true),
};

type Unary<Request, Response> = (
  call: ServerUnaryCall<Request, Response>,
  reply: sendUnaryData<Response>,
) => void;

export async function startJobService() {
  const jobs = new Map<string, SubmittedJob>();
  const streams = new Map<string, ServerWritableStream<JobMessagesRequest, JobMessagesResponse>[]>();
  const faults: Faults = {};
  const calls: string[] = [];
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  const serve =
    <Request, Response>(call: string, answer: (request: Request) => Response | undefined) =>
    ({ request }: { request: Request }, reply: sendUnaryData<Response>): void => {
      calls.push(call);
      const found = faults.refuse?.call === call ? undefined : answer(request);
      const details = faults.refuse?.details ?? 'not found';
      if (found === undefined) reply({ code: grpc.status.NOT_FOUND, details });
      else reply(null, found);
    };
  const tell = (id: string, response: JobMessagesResponse['response']): void =>
    streams.get(id)?.forEach((stream) => void stream.write({ response }));
  const setState = (id: string, state: JobState): void => {
    const job = jobs.get(id);
    if (job === undefined) throw new Error(`no job ${id}`);
    job.state = state;
    tell(id, { oneofKind: 'stateResponse', stateResponse: { state: jobApi.JobState_Enum[state] } });
  };
  const prepare: Unary<PrepareJobRequest, PrepareJobResponse> = serve('prepare', (request) => {
    const id = `job-${jobs.size + 1}`;
    jobs.set(id, { id, request, state: 'STOPPED' });
    return jobApi.PrepareJobResponse.create({ preparationId: id });
  });
  const run: Unary<RunJobRequest, RunJobResponse> = serve('run', ({ preparationId }) => {
    setState(preparationId, 'RUNNING');
    return { jobId: preparationId };
  });
  const getState: Unary<{ jobId: string }, JobStateEvent> = serve('getState', ({ jobId }) => {
    const job = jobs.get(jobId);
    return job && { state: jobApi.JobState_Enum[job.state] };
  });
  const cancel: Unary<CancelJobRequest, CancelJobResponse> = serve('cancel', ({ jobId }) => {
    if (faults.ignoreCancel !== true) setState(jobId, 'CANCELLED');
    return { state: jobApi.JobState_Enum.CANCELLING };
  });
  const getJobs: Unary<object, GetJobsResponse> = serve('getJobs', () => ({
    jobInfo: [...jobs.values()].map(({ id, request, state }) => ({
      jobId: id,
      jobName: request.jobName,
      state: jobApi.JobState_Enum[state],
    })),
  }));
  const getMessageStream = (call: ServerWritableStream<JobMessagesRequest, JobMessagesResponse>): void => {
    call.on('error', () => undefined);
    if (faults.breakStream === true) call.emit('error', { code: grpc.status.INTERNAL });
    else streams.set(call.request.jobId, [...(streams.get(call.request.jobId) ?? []), call]);
  };
  server.addService(SERVICE, { prepare, run, getState, cancel, getJobs, getMessageStream });
  const bound = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
    error ? bound.reject(error) : bound.resolve(port),
  );
  return {
    endpoint: `127.0.0.1:${await bound.promise}`,
    jobs,
    faults,
    /** The calls that came, by name. */
    calls,
    setState,
    /** Resolves when somebody listens to what is said of the job. */
    isHeard: (id: string): boolean => (streams.get(id)?.length ?? 0) > 0,
    say: (id: string, messageText: string, isError = false): void =>
      tell(id, {
        oneofKind: 'messageResponse',
        messageResponse: {
          ...{ messageId: '', time: '', messageText },
          importance: isError
            ? jobApi.JobMessage_MessageImportance.JOB_MESSAGE_ERROR
            : jobApi.JobMessage_MessageImportance.JOB_MESSAGE_BASIC,
        },
      }),
    endStream: (id: string): void => streams.get(id)?.forEach((stream) => void stream.end()),
    close: (): void => server.forceShutdown(),
  };
}

export type JobServiceHarness = Awaited<ReturnType<typeof startJobService>>;
