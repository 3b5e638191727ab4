import { randomUUID } from 'node:crypto';
import type { JobsApi, RunningJob } from '#infra/engines/dataflow/jobs-api.ts';
import type { StoragePlace } from '#infra/engines/dataflow/staging.ts';
import type { PreparedJob } from './dataflow-job.ts';

/** The service option with which Dataflow checks a replacement and starts nothing. */
const VALIDATE_OPTION = 'graph_validate_only';

/** Where jobs are launched and watched. */
export interface DataflowService {
  readonly jobs: JobsApi;
  stage(place: StoragePlace, content: Uint8Array<ArrayBuffer>): Promise<void>;
}

export interface LaunchOptions {
  /** Takes the place of the active job of that name, with what it holds; where Dataflow finds the two too different the old one goes on. */
  readonly update?: boolean | undefined;
  /** Only has Dataflow check whether the job could take the place of the active one. */
  readonly validate?: boolean | undefined;
  readonly requestId?: string;
}

/** No active job has the name of the one that is to be updated, drained or cancelled. */
export class NoSuchJob extends Error {
  constructor(name: string) {
    super(`there is no active job named ${name}`);
    this.name = 'NoSuchJob';
  }
}

/**
 * Puts the pipeline into its bucket and asks for the job, once however often an answer is lost. Throws JobNameTaken, NoSuchJob and GoogleApiError.
 */
export async function launch(
  service: DataflowService,
  { job, pipeline }: PreparedJob,
  { update = false, validate = false, requestId = randomUUID() }: LaunchOptions = {},
): Promise<RunningJob> {
  const replaced = update || validate ? await expectActive(service.jobs, job.name) : undefined;
  await service.stage(pipeline.place, pipeline.bytes);
  const { environment } = job;
  const serviceOptions = [...environment.serviceOptions, ...(validate ? [VALIDATE_OPTION] : [])];
  return service.jobs.create({
    ...job,
    environment: { ...environment, serviceOptions },
    clientRequestId: requestId,
    ...(replaced && { replaceJobId: replaced.id }),
  });
}

/** The job of that name that has not ended. Throws NoSuchJob. */
export async function expectActive(jobs: JobsApi, name: string): Promise<RunningJob> {
  const job = await jobs.active(name);
  if (job === undefined) throw new NoSuchJob(name);
  return job;
}
