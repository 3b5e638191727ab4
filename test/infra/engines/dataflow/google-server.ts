import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fields from './job-fields.json' with { type: 'json' };

// The interfaces of Dataflow (jobs, v1b3) and Cloud Storage (uploads), as far as their documentation says how they behave. What it takes of a job is
// in job-fields.json: the fields and values of the API's own description, revision 20260818.

type Json = Record<string, unknown>;

/** A job as the service keeps it. */
export interface StoredJob extends Json {
  readonly id: string;
  readonly name: string;
  currentState: string;
}

/** What goes wrong with the next request: an answer in its place, or an answer that is lost after the request was done. */
export type Fault =
  | { readonly status: number; readonly message: string; readonly retryAfter?: string }
  | 'lost answer'
  | 'no answer';

export interface GoogleServer {
  readonly endpoint: string;
  /** `METHOD path` of every request, in order. */
  readonly requests: string[];
  readonly tokens: Set<string>;
  readonly files: Map<string, Buffer>;
  readonly jobs: Map<string, StoredJob>;
  readonly messages: Json[];
  readonly faults: Fault[];
  /** How many jobs a page has. */
  pageSize: number;
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const ENDED = /^JOB_STATE_(?:DONE|FAILED|CANCELLED|UPDATED|DRAINED)$/;
const isActive = ({ currentState }: StoredJob): boolean => !ENDED.test(currentState);

export async function openGoogleServer(): Promise<GoogleServer> {
  const state = {
    requests: [] as string[],
    tokens: new Set<string>(),
    files: new Map<string, Buffer>(),
    jobs: new Map<string, StoredJob>(),
    messages: [] as Json[],
    faults: [] as Fault[],
    pageSize: 100,
  };
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '', 'http://localhost');
    state.requests.push(`${request.method} ${url.pathname}`);
    state.tokens.add(request.headers.authorization ?? '');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = state.faults.shift();
    if (fault === 'no answer') return void request.socket.destroy();
    if (fault !== undefined && fault !== 'lost answer') {
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', fault.retryAfter);
      return refuse(response, fault);
    }
    try {
      const result = handle(state, { method: request.method ?? '', url, body: Buffer.concat(chunks) });
      if (fault === 'lost answer') return void request.socket.destroy();
      response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
    } catch (error) {
      refuse(response, error instanceof Refusal ? error : { status: 500, message: String(error) });
    }
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  });
}

type State = Omit<GoogleServer, 'endpoint' | 'close'>;

/** The shape of every error of Google's. */
function refuse(response: ServerResponse, { status, message }: { status: number; message: string }): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      error: { code: status, message, status: 'FAILED', errors: [{ message, domain: 'global' }] },
    }),
  );
}

interface Request {
  readonly method: string;
  readonly url: URL;
  readonly body: Buffer;
}

const JOBS =
  /^\/v1b3\/projects\/(?<project>[^/]+)\/locations\/(?<region>[^/]+)\/jobs(?:\/(?<id>[^/]+)(?<messages>\/messages)?)?$/;
const UPLOAD = /^\/upload\/storage\/v1\/b\/(?<bucket>[^/]+)\/o$/;

function handle(state: State, { method, url, body }: Request): unknown {
  const { bucket } = UPLOAD.exec(url.pathname)?.groups ?? {};
  if (bucket !== undefined && method === 'POST') return upload(state, bucket, url, body);
  const { id, messages, project, region } = JOBS.exec(url.pathname)?.groups ?? {};
  if (project === undefined || region === undefined) throw new Refusal(404, 'Not Found');
  if (id === undefined)
    return method === 'POST' ? create(state, JSON.parse(body.toString()) as Json) : list(state, url);
  const job = state.jobs.get(id);
  if (job === undefined)
    throw new Refusal(404, `(1a2b): Information about job ${id} could not be found in our system.`);
  if (messages !== undefined) return { jobMessages: since(state, url) };
  return method === 'PUT' ? request(job, JSON.parse(body.toString()) as Json) : job;
}

function upload({ files }: State, bucket: string, url: URL, body: Buffer): Json {
  const name = `gs://${bucket}/${url.searchParams.get('name') ?? ''}`;
  if (url.searchParams.get('ifGenerationMatch') === '0' && files.has(name))
    throw new Refusal(412, 'At least one of the pre-conditions you specified did not hold.');
  files.set(name, body);
  return { kind: 'storage#object', name, bucket, size: String(body.length) };
}

/** With an active job of that name the attempt returns that one; with an id that was seen, it is refused. */
function create({ jobs }: State, job: Json): StoredJob {
  const fault = unknownField('Job', job, 'job');
  if (fault !== undefined) throw new Refusal(400, `Invalid JSON payload received. ${fault}`);
  const all = [...jobs.values()];
  const replaced = all.find(({ id }) => id === job['replaceJobId']);
  if (job['replaceJobId'] !== undefined && (replaced === undefined || !isActive(replaced)))
    throw new Refusal(400, 'The job to be replaced is not running.');
  if (all.some((one) => one['clientRequestId'] === job['clientRequestId'] && one.name === job['name']))
    throw new Refusal(
      409,
      `(9c8d): The workflow could not be created. Causes: (7e6f): There is already an active job named ${String(job['name'])}.`,
    );
  const active = all.find((one) => one.name === job['name'] && isActive(one));
  if (active !== undefined && active !== replaced) return active;
  const made = {
    ...job,
    id: `2026-11-23_10_00_00-${jobs.size + 1}`,
    currentState: 'JOB_STATE_PENDING',
  } as StoredJob & Json;
  if (replaced !== undefined)
    Object.assign(replaced, { currentState: 'JOB_STATE_UPDATED', replacedByJobId: made.id });
  jobs.set(made.id, made);
  return made;
}

function list({ jobs, pageSize }: State, url: URL): Json {
  const from = Number(url.searchParams.get('pageToken') ?? 0);
  const name = url.searchParams.get('name');
  const chosen = [...jobs.values()].filter(
    (job) =>
      (url.searchParams.get('filter') !== 'ACTIVE' || isActive(job)) &&
      (name === null || job.name.includes(name)),
  );
  const next = from + pageSize;
  // An empty list is left out, as everything that is empty is.
  return {
    ...(chosen.length > from && { jobs: chosen.slice(from, next) }),
    ...(chosen.length > next && { nextPageToken: String(next) }),
  };
}

function since({ messages }: State, url: URL): Json[] {
  const from = url.searchParams.get('startTime') ?? '';
  return messages.filter(({ time }) => String(time) >= from);
}

function request(job: StoredJob, { requestedState }: Json): StoredJob {
  if (!isActive(job)) throw new Refusal(400, `The job is in ${job.currentState}, which it cannot leave.`);
  if (requestedState === 'JOB_STATE_DRAINED') job.currentState = 'JOB_STATE_DRAINING';
  else if (requestedState === 'JOB_STATE_CANCELLED') job.currentState = 'JOB_STATE_CANCELLING';
  else throw new Refusal(400, 'The requested state is not one that a job can be asked to be in.');
  return job;
}

type Kind =
  | string
  | {
      readonly enum?: readonly string[];
      readonly message?: string;
      readonly list?: Kind;
      readonly map?: boolean;
    };
const MESSAGES = fields as unknown as Record<string, Record<string, Kind>>;

/** As the service does it: a name that it does not know, or a value of another kind, is refused with its place. */
export function unknownField(message: string, value: object, place: string): string | undefined {
  for (const [name, held] of Object.entries(value)) {
    const kind = MESSAGES[message]?.[name];
    if (kind === undefined) return `Unknown name "${name}" at '${place}': Cannot find field.`;
    const fault = wrongValue(kind, held, `${place}.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function wrongValue(kind: Kind, value: unknown, place: string): string | undefined {
  const wrong = `Invalid value at '${place}': ${JSON.stringify(value)}`;
  if (typeof kind === 'string') {
    const type = kind === 'integer' ? 'number' : kind;
    return typeof value === type ? undefined : wrong;
  }
  if (kind.enum !== undefined) return kind.enum.includes(String(value)) ? undefined : wrong;
  if (kind.list !== undefined) {
    if (!Array.isArray(value)) return wrong;
    const of = kind.list;
    return value
      .map((item, at) => wrongValue(of, item, `${place}[${at}]`))
      .find((fault) => fault !== undefined);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong;
  return kind.message === undefined ? undefined : unknownField(kind.message, value, place);
}
