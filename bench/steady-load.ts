import { setTimeout as sleep } from 'node:timers/promises';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { mix } from './mix.ts';

/** Events as they happen: so many a second, all of now, two meters, subjects uniform, 5 % of them sent twice. */
export interface SteadyLoad {
  readonly eventsPerSecond: number;
  readonly subjects: number;
  /** The time of event 0, in ms since the epoch. */
  readonly startMs: number;
}

export interface Expected {
  readonly distinct: number;
  readonly tokens: bigint;
}

export const TICK_MS = 50;
const RESENT_ONE_IN = 20;
/** A copy comes so many events after the first. */
const RESENT_AFTER = 1_000;
const TOKENS_MAX = 4_000;
const MESSAGES_PER_PUBLISH = 1_000;
/** Never seen again by chance: what has been published is what is looked for. */
const ID_PREFIX = 'steady';

/** Which event the message at a place carries: its own, or again that of an earlier one. */
const placeOf = (place: number): number =>
  place >= RESENT_AFTER && mix(place) % RESENT_ONE_IN === 0 ? place - RESENT_AFTER : place;

const isFirst = (place: number): boolean => placeOf(place) === place;

const tokensOf = (place: number): number => 1 + (mix(place * 3 + 2) % TOKENS_MAX);

const subjectOf = (place: number, { subjects }: SteadyLoad): string => `s-${mix(place * 11 + 4) % subjects}`;

/** The message at a place of the load; a copy has the bytes of the first. */
export function messageAt(at: number, load: SteadyLoad): { readonly data: Buffer } {
  // A copy of a copy would be neither.
  const earlier = placeOf(at);
  const place = isFirst(earlier) ? earlier : at;
  const time = new Date(load.startMs + (place / load.eventsPerSecond) * 1_000).toISOString();
  const id = `${ID_PREFIX}-${load.startMs.toString(36)}-${mix(place).toString(16)}-${place}`;
  return {
    data: Buffer.from(
      `{"specversion":"1.0","id":"${id}","source":"urn:svc","type":"llm.request","subject":"${subjectOf(place, load)}","time":"${time}","data":{"tokens":${tokensOf(place)}}}`,
    ),
  };
}

/** What counting the first so many messages comes to. */
export function expectedOf(messages: number): Expected {
  let [distinct, tokens] = [0, 0n];
  for (let at = 0; at < messages; at++) {
    const earlier = placeOf(at);
    if (earlier !== at && isFirst(earlier)) continue;
    distinct++;
    tokens += BigInt(tokensOf(at));
  }
  return { distinct, tokens };
}

/** Publishes the messages from one place to another as fast as the topic takes them. */
export async function publishRange(
  topic: Pick<Topic, 'publish'>,
  load: SteadyLoad,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  for (let at = from; at < to; at += MESSAGES_PER_PUBLISH) {
    const length = Math.min(MESSAGES_PER_PUBLISH, to - at);
    await topic.publish(Array.from({ length }, (_, index) => messageAt(at + index, load)));
  }
}

export interface Publishing {
  /** The place of the first message. */
  readonly from: number;
  readonly seconds: number;
  readonly signal?: AbortSignal;
}

/** Publishes at the load's rate and resolves with the place after the last message. A topic that is late is caught up with. */
export async function publishSteadily(
  topic: Pick<Topic, 'publish'>,
  load: SteadyLoad,
  { from, seconds, signal }: Publishing,
): Promise<number> {
  const began = Date.now();
  const last = from + Math.round(seconds * load.eventsPerSecond);
  let at = from;
  while (at < last && signal?.aborted !== true) {
    const due = from + ((Date.now() - began + TICK_MS) / 1_000) * load.eventsPerSecond;
    const to = Math.min(last, Math.floor(due));
    await publishRange(topic, load, { from: at, to });
    at = Math.max(at, to);
    await sleep(TICK_MS - ((Date.now() - began) % TICK_MS));
  }
  return at;
}

const POLL_MS = 20;

/** Resolves when no message of the topic waits any more. Throws when that takes longer than `msMax`. */
export async function untilAcknowledged(
  topic: Pick<Topic, 'oldestUnacknowledged'>,
  msMax: number,
): Promise<void> {
  const until = Date.now() + msMax;
  for (;;) {
    const seen = await topic.oldestUnacknowledged();
    if (seen !== 'unknown' && seen.oldest === undefined) return;
    if (Date.now() > until) throw new Error(`messages still wait after ${msMax / 1_000} s`);
    await sleep(POLL_MS);
  }
}

const EVENT_TIME_MARGIN_MS = 3_600_000;

export interface DelaysAsked {
  /** When they were published, in ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How many subjects stand for all: SUBJECTS_LOOKED_AT. */
  readonly subjects?: number;
}

/** Of a short run: the warehouse hands out so many rows at most. */
const SUBJECTS_LOOKED_AT = 100;
/** Of what the warehouse hands out at most, since a load may also be faster than it was to be. */
const ROWS_LOOKED_AT = 50_000;

/** How many subjects may stand for all in a load that goes on for hours: their events of the time that is looked through are not too many. */
export const subjectsLookedAt = ({ eventsPerSecond, subjects }: SteadyLoad): number =>
  Math.max(
    1,
    Math.min(
      SUBJECTS_LOOKED_AT,
      Math.floor((ROWS_LOOKED_AT * subjects) / (eventsPerSecond * (EVENT_TIME_MARGIN_MS / 1_000))),
    ),
  );

/** From publishing to commit of events that were published in the time, in ms, in ascending order. */
export async function delaysMs(warehouse: Pick<Warehouse, 'query'>, asked: DelaysAsked): Promise<number[]> {
  const delays = await Array.fromAsync(
    lookThrough(warehouse, asked),
    ({ publishedMs, committedMs }) => committedMs - publishedMs,
  );
  return delays.sort((a, b) => a - b);
}

/** When the last of the events was committed that were published in the time, in ms since the epoch. */
export async function lastCommitMs(warehouse: Pick<Warehouse, 'query'>, asked: DelaysAsked): Promise<number> {
  const commits = await Array.fromAsync(lookThrough(warehouse, asked), ({ committedMs }) => committedMs);
  return commits.reduce((last, at) => Math.max(last, at), -Infinity);
}

interface LookedAt {
  readonly publishedMs: number;
  readonly committedMs: number;
}

async function* lookThrough(
  warehouse: Pick<Warehouse, 'query'>,
  { fromMs, toMs, subjects = SUBJECTS_LOOKED_AT }: DelaysAsked,
): AsyncGenerator<LookedAt, void> {
  // Events are asked for by their own time, which is near.
  const range = {
    from: new Date(fromMs - EVENT_TIME_MARGIN_MS).toISOString(),
    to: new Date(toMs + EVENT_TIME_MARGIN_MS).toISOString(),
  };
  const names = Array.from({ length: subjects }, (_, subject) => `s-${subject}`);
  const asked = { namespace: LOCAL_FEED.namespace, subjects: names, ...range };
  for await (const row of warehouse.query('events_exact', asked)) {
    const publishedMs = millisOf(row['published_at']);
    if (publishedMs >= fromMs && publishedMs < toMs)
      yield { publishedMs, committedMs: millisOf(row['committed_at']) };
  }
}

const millisOf = (time: unknown): number => (parseRfc3339(String(time))?.at ?? 0) / 1_000;
