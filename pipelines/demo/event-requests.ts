import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ApiClient } from './api-client.ts';
import type { Fact, Planned } from './data-set.ts';

/** One request of `POST /v1/events`. */
export interface EventRequest {
  readonly mode: 'batch' | 'single' | 'binary';
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly isZipped: boolean;
}

const EVENT_TYPE = 'application/cloudevents+json';
const BATCH_TYPE = 'application/cloudevents-batch+json';
const JSON_TYPE = 'application/json';

/** Of the events of one call so many go alone, and so many in binary mode; all others in batches. */
const SINGLES = 50;
const BINARIES = 50;

/** Batches as different producers make them, in turn. */
const BATCHES = [
  { events: 1_000, contentType: BATCH_TYPE, isZipped: true },
  { events: 500, contentType: BATCH_TYPE, isZipped: false },
  { events: 750, contentType: JSON_TYPE, isZipped: true },
] as const;

/** The requests that carry these messages, each once and in their order within each mode. */
export function eventRequests(messages: readonly Planned[]): EventRequest[] {
  // What is no JSON would take the batch around it with it: such a message goes alone.
  const whole = messages.filter((message) => !isBrokenJson(message));
  const alone = [...messages.filter(isBrokenJson), ...whole.slice(0, SINGLES)];
  const inBinary = whole.slice(SINGLES, SINGLES + BINARIES);
  const inBatches = whole.slice(SINGLES + BINARIES);
  return [
    ...alone.map(single),
    ...inBinary.map(({ fact, ...message }) => (fact ? binary(fact) : single(message))),
    ...batches(inBatches),
  ];
}

const isBrokenJson = (message: Planned): boolean =>
  message.fact === undefined && message.reason === 'malformed_json';

const single = ({ text }: Pick<Planned, 'text'>): EventRequest => ({
  mode: 'single',
  contentType: EVENT_TYPE,
  headers: {},
  text,
  isZipped: false,
});

/** The attributes are in headers, percent-encoded, and the body is the data. */
const binary = ({ id, source, type, subject, time, data }: Fact): EventRequest => ({
  mode: 'binary',
  contentType: JSON_TYPE,
  headers: {
    'ce-specversion': '1.0',
    'ce-id': encodeURIComponent(id),
    'ce-source': encodeURIComponent(source),
    'ce-type': encodeURIComponent(type),
    'ce-subject': encodeURIComponent(subject),
    'ce-time': time,
  },
  text: JSON.stringify(data),
  isZipped: false,
});

function batches(messages: readonly Planned[]): EventRequest[] {
  const requests: EventRequest[] = [];
  for (let at = 0; at < messages.length;) {
    const { events, contentType, isZipped } = BATCHES[requests.length % BATCHES.length] ?? BATCHES[0];
    const text = `[${messages
      .slice(at, at + events)
      .map((message) => message.text)
      .join(',')}]`;
    requests.push({ mode: 'batch', contentType, headers: {}, text, isZipped });
    at += events;
  }
  return requests;
}

/** What the API said of the events it was sent. */
export interface EventAnswers {
  readonly requests: Record<EventRequest['mode'], number>;
  accepted: number;
  /** By reason. */
  readonly rejected: Record<string, number>;
}

export const noAnswers = (): EventAnswers => ({
  requests: { batch: 0, single: 0, binary: 0 },
  accepted: 0,
  rejected: {},
});

/** Requests on their way at once. */
const CONNECTIONS = 4;

/** Sends messages over HTTP and adds to `answers` what became of them. */
export async function postEvents(
  client: ApiClient,
  messages: readonly Planned[],
  answers: EventAnswers,
): Promise<void> {
  const requests = eventRequests(messages).values();
  const sendNext = async (): Promise<void> => {
    for (const request of requests) await postRequest(client, request, answers);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sendNext));
}

interface IngestDocument {
  readonly accepted: number;
  readonly results: readonly { readonly problem?: { readonly code: string } }[];
}

const zip = promisify(gzip);

async function postRequest(
  client: ApiClient,
  { mode, contentType, headers, text, isZipped }: EventRequest,
  answers: EventAnswers,
): Promise<void> {
  const bytes = Buffer.from(text);
  const { body } = await client.send(
    {
      method: 'POST',
      path: '/v1/events',
      headers: {
        ...headers,
        'content-type': contentType,
        ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
      },
      body: isZipped ? await zip(bytes) : bytes,
    },
    'no_event_accepted',
  );
  const { accepted, results } = body as IngestDocument;
  answers.requests[mode]++;
  answers.accepted += accepted;
  for (const { problem } of results)
    if (problem) answers.rejected[problem.code] = (answers.rejected[problem.code] ?? 0) + 1;
}
