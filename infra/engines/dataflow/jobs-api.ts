import { z } from 'zod';
import type { CallGoogle } from './google-api.ts';
import { GoogleApiError } from './google-api.ts';
import type { DataflowJob } from './job.ts';

const DATAFLOW = 'https://dataflow.googleapis.com';
const PAGE_JOBS = 100;
/** How many messages of a job are read at once; the next question goes on after them. */
const MESSAGES_MAX = 1_000;
const CONFLICT = 409;
/** How a request is refused that was done already: the job that it makes, or replaces, is not as it was. */
const REFUSALS: readonly (number | undefined)[] = [400, CONFLICT];

/** What is read of a job; a state that Dataflow adds is one that has not ended. */
const jobAnswer = z.object({
  id: z.string(),
  name: z.string(),
  currentState: z.string().default('JOB_STATE_UNKNOWN'),
  clientRequestId: z.string().optional(),
  replaceJobId: z.string().optional(),
  replacedByJobId: z.string().optional(),
});
export type RunningJob = z.output<typeof jobAnswer>;

const jobsAnswer = z.object({ jobs: z.array(jobAnswer).default([]), nextPageToken: z.string().optional() });

const messageAnswer = z.object({
  id: z.string(),
  time: z.string(),
  messageText: z.string().default(''),
  messageImportance: z.string().default('JOB_MESSAGE_IMPORTANCE_UNKNOWN'),
});
/** What Dataflow says about a job. */
export type JobMessage = z.output<typeof messageAnswer>;

const messagesAnswer = z.object({
  jobMessages: z.array(messageAnswer).default([]),
  nextPageToken: z.string().optional(),
});

/** An active job has this name already, and it is not the one that was asked for. */
export class JobNameTaken extends Error {
  readonly jobId: string | undefined;
  constructor(name: string, jobId: string | undefined, options?: ErrorOptions) {
    super(
      `there is an active job named ${name}${jobId === undefined ? '' : ` (${jobId})`}: update it, drain it, or choose another name`,
      options,
    );
    this.name = 'JobNameTaken';
    this.jobId = jobId;
  }
}

export type RequestedState = 'JOB_STATE_DRAINED' | 'JOB_STATE_CANCELLED';

/** Jobs of one project and region. Every method throws GoogleApiError. */
export interface JobsApi {
  /** Asks for the job; the same `clientRequestId` makes it once. Throws JobNameTaken. */
  create(job: DataflowJob & { readonly clientRequestId: string }): Promise<RunningJob>;
  get(id: string, signal?: AbortSignal): Promise<RunningJob>;
  /** The job of that name that has not ended; at most one can be. */
  active(name: string): Promise<RunningJob | undefined>;
  /** Draining ends the sources and works off what they have read; cancelling stops where it is. Both take minutes. */
  end(id: string, state: RequestedState): Promise<void>;
  /** Warnings and errors since then (RFC 3339), a thousand and a page at the most. */
  messages(id: string, since: string | undefined, signal?: AbortSignal): Promise<JobMessage[]>;
}

export interface JobsApiOptions {
  readonly project: string;
  readonly region: string;
  /** Another one than Google's, for tests. */
  readonly endpoint?: string;
}

export function openJobsApi(
  call: CallGoogle,
  { project, region, endpoint = DATAFLOW }: JobsApiOptions,
): JobsApi {
  const urlOf = (path = '', query: Readonly<Record<string, string>> = {}): URL => {
    const url = new URL(`/v1b3/projects/${project}/locations/${region}/jobs${path}`, endpoint);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  };
  const get: JobsApi['get'] = async (id, signal) =>
    jobAnswer.parse(await call({ method: 'GET', url: urlOf(`/${encodeURIComponent(id)}`) }, signal));
  const active = async (name: string): Promise<RunningJob | undefined> => {
    const ask = async (page: Readonly<Record<string, string>>) =>
      jobsAnswer.parse(
        await call({
          method: 'GET',
          url: urlOf('', { filter: 'ACTIVE', name, pageSize: String(PAGE_JOBS), ...page }),
        }),
      );
    return firstOf(ask, ({ jobs }) => jobs.find((job) => job.name === name));
  };
  return {
    get,
    active,
    create: async (job) => {
      try {
        const made = jobAnswer.parse(await call({ method: 'POST', url: urlOf(), body: job }));
        // Where there is an active job of that name Dataflow may answer with it, and make none.
        if ((made.clientRequestId ?? job.clientRequestId) === job.clientRequestId) return made;
        throw new JobNameTaken(job.name, made.id);
      } catch (error) {
        if (!(error instanceof GoogleApiError) || !REFUSALS.includes(error.status)) throw error;
        // The answer to an attempt before this one may have been lost, and then the job in the way is the one that was asked for.
        const named = await active(job.name);
        const inTheWay = named && (await get(named.id));
        if (inTheWay?.clientRequestId === job.clientRequestId) return inTheWay;
        if (inTheWay === undefined || error.status !== CONFLICT) throw error;
        throw new JobNameTaken(job.name, inTheWay.id, { cause: error });
      }
    },
    end: async (id, requestedState) => {
      await call({ method: 'PUT', url: urlOf(`/${encodeURIComponent(id)}`), body: { requestedState } });
    },
    messages: async (id, since, signal) => {
      const all: JobMessage[] = [];
      await firstOf(
        async (page) => {
          const query = {
            minimumImportance: 'JOB_MESSAGE_WARNING',
            ...(since === undefined ? {} : { startTime: since }),
          };
          const url = urlOf(`/${encodeURIComponent(id)}/messages`, { ...query, ...page });
          return messagesAnswer.parse(await call({ method: 'GET', url }, signal));
        },
        ({ jobMessages }) => (all.push(...jobMessages) < MESSAGES_MAX ? undefined : true),
      );
      return all;
    },
  };
}

/** Asks for page after page until one has what is looked for. */
async function firstOf<Page extends { readonly nextPageToken?: string | undefined }, Found>(
  ask: (page: Readonly<Record<string, string>>) => Promise<Page>,
  look: (page: Page) => Found | undefined,
): Promise<Found | undefined> {
  let page = await ask({});
  for (;;) {
    const found = look(page);
    if (found !== undefined || page.nextPageToken === undefined || page.nextPageToken === '') return found;
    page = await ask({ pageToken: page.nextPageToken });
  }
}
