import { setImmediate } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { z } from 'zod';
import type { Instant } from '#domain/instant.ts';
import { HTTP_EVENTS_MAX } from '#domain/limits.ts';
import type { Attributes, OutgoingMessage } from '#infra/topic/topic.ts';
import { traceAttributes } from '#infra/telemetry/message-context.ts';
import { spanned } from '#infra/telemetry/spans.ts';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { bytes, JSON_CONTENT_TYPE } from '../http/answer.ts';
import { rawBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Services } from '../services.ts';
import { eventInput, ingestDocument } from './documents.ts';
import { judgeSent, type JudgedEvent, type JudgingContext } from './judge-events.ts';
import { BATCH_TYPE, EVENT_TYPE, JSON_TYPE, readSentEvents } from './read-request.ts';
import { encodeResults, resultsOf, type Results } from './results.ts';
import { NO_ATTRIBUTES, type SentEvent } from './sent-event.ts';

const batchInput = z.array(eventInput).min(1).max(HTTP_EVENTS_MAX);

const description =
  `Up to ${HTTP_EVENTS_MAX} events or 5 MB: one event (\`${EVENT_TYPE}\`), a batch (\`${BATCH_TYPE}\`), or plain JSON,
an event or an array of them. With the header \`ce-specversion\` one event in binary mode: attributes in \`ce-*\` headers, data as the body.
Every event is judged by itself. 202 comes once the topic has all that were accepted, durably; an event sent twice counts once, so a
request without an answer is simply sent again. Numbers keep every digit that was sent.`.replaceAll(
    '\n',
    ' ',
  );

export const postEvents = route({
  method: 'post',
  path: '/v1/events',
  name: 'postEvents',
  tag: 'Events',
  scope: 'events:write',
  summary: 'Takes events',
  description,
  body: rawBody(
    {
      [EVENT_TYPE]: eventInput,
      [BATCH_TYPE]: batchInput,
      [JSON_TYPE]: z.union([batchInput, eventInput]),
    },
    { anyMediaType: true },
  ),
  answers: { 202: { description: 'At least one event was accepted', json: ingestDocument } },
  problems: ['no_event_accepted', 'rate_limited'],
  quiet: true,
  handle: async (services, { principal, namespace, now, headers, body }) => {
    const sent = readSentEvents(headers, body);
    takeFromBuckets(services, { keyId: principal.keyId, now, events: sent.length, bytes: body.bytes.length });
    const catalogue = await services.ingest.catalogues.get(namespace);
    const judged = await judgeAll(sent, { now, catalogue });
    const accepted = await publishAccepted(services, judged, namespace);
    services.metrics.countEvents('accepted', accepted);
    services.metrics.countEvents('rejected', judged.length - accepted);
    if (accepted === 0) throw noneAccepted(resultsOf(judged, accepted));
    return bytes(202, JSON_CONTENT_TYPE, encodeResults(judged, accepted));
  },
});

interface Asked {
  readonly keyId: string;
  readonly now: Instant;
  readonly events: number;
  readonly bytes: number;
}

/** Throws the problem `rate_limited`, before anything of the request is published. */
function takeFromBuckets({ ingest }: Services, { keyId, now, events, bytes }: Asked): void {
  const waitSeconds = ingest.buckets.take(keyId, { events, bytes }, now);
  if (waitSeconds === 0) return;
  throw new Problem('rate_limited', `the key sends more than its limit; try again in ${waitSeconds} s`, {
    headers: { 'Retry-After': String(waitSeconds) },
  });
}

/** So many are judged without letting other requests in between: about a millisecond. */
const JUDGED_IN_A_ROW = 200;

async function judgeAll(sent: readonly SentEvent[], context: JudgingContext): Promise<JudgedEvent[]> {
  const judged: JudgedEvent[] = [];
  for (const event of sent) {
    if (judged.length > 0 && judged.length % JUDGED_IN_A_ROW === 0) await setImmediate();
    judged.push(judgeSent(event, context));
  }
  return judged;
}

/** Resolves to how many were accepted, once the topic has them. Their commit is linked to the span of this publishing. */
async function publishAccepted(
  { topic }: Services,
  judged: readonly JudgedEvent[],
  namespace: string,
): Promise<number> {
  return spanned('publish', { kind: SpanKind.PRODUCER }, async () => {
    const messages = messagesOf(judged, { ...namespaceAttributes(namespace), ...traceAttributes() });
    if (messages.length > 0) await topic.publish(messages);
    return messages.length;
  });
}

function messagesOf(judged: readonly JudgedEvent[], ours: Attributes): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  for (const { sent, refusal } of judged)
    if (refusal === undefined)
      messages.push({ data: sent.data, attributes: withOurs(sent.attributes, ours) });
  return messages;
}

/** Events in structured mode share one object of attributes, which the topic then stores once. */
const withOurs = (attributes: Attributes, ours: Attributes): Attributes =>
  attributes === NO_ATTRIBUTES ? ours : { ...attributes, ...ours };

function noneAccepted(results: Results): Problem {
  const first = results.results[0]?.problem;
  const why = first === undefined ? 'the request has no event' : `the first: ${first.detail}`;
  return new Problem('no_event_accepted', `no event was accepted; ${why}`, { members: results });
}
