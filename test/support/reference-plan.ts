import { hash } from 'node:crypto';
import { MICROS_PER_DAY, MICROS_PER_MINUTE, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { DeadLetterReason } from '#domain/metering/dead-letter.ts';
import { NAMESPACE } from './local-stores.ts';
import { METERED_TYPES, UNMETERED_TYPE } from './reference-meters.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A value in `data`: its canonical text, whether it is sent as a string or as a number. */
export type Data = Readonly<Record<string, string>>;

/** One content under an identity. Events of a plan are known down to their digests without any code of the product. */
export interface PlannedCopy {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** As sent; null when the event takes the publish time of its message. */
  readonly sentTime: string | null;
  readonly time: Instant | null;
  /** Name to canonical JSON text. */
  readonly data: Data;
  /** 32 hex digits. */
  readonly digest: string;
}

export interface PlannedEvent {
  /** 32 hex digits. */
  readonly identity: string;
  /** More than one where producers contradict each other; any of them may be counted, the others are conflicts. */
  readonly contents: readonly PlannedCopy[];
}

export interface PlannedRefusal {
  readonly reason: DeadLetterReason;
  readonly text: string;
}

export interface PlannedMessage {
  readonly text: string;
  /** Of an event: 32 hex digits. */
  readonly identity?: string;
}

export interface Plan {
  readonly events: readonly PlannedEvent[];
  readonly refusals: readonly PlannedRefusal[];
  /** In the order they are published: with duplicates, conflicts and refusals, out of order. */
  readonly messages: readonly PlannedMessage[];
  readonly from: Instant;
  readonly to: Instant;
}

export interface PlanOptions {
  readonly events: number;
  /** Days before now that events happen in. */
  readonly days?: number;
  readonly refusals?: boolean;
  /** Without them what counts is the same in whatever order it comes. */
  readonly conflicts?: boolean;
  /** Events, evenly spread and published once each, whose model is `LONG_MODEL`. */
  readonly longModels?: number;
}

/** A dimension value far longer than any other of a plan. */
export const LONG_MODEL = 'm'.repeat(100);

export const PLANNED_SUBJECTS = ['acme', 'globex', 'Zürich/7', 'initech', '大阪'];
const SOURCES = ['urn:svc:chat', 'urn:svc:batch'];
const MODELS = ['free', 'm1', 'm"2"', undefined];
const REGIONS = ['eu', 'us', undefined];
const DUPLICATE_CHANCE = 0.25;
const CONFLICT_CHANCE = 0.06;
const REFUSAL_CHANCE = 0.02;
const TIMELESS_CHANCE = 0.03;
/** How far, in messages, a copy may stray from its place; some stray through the whole plan. */
const STRAY = 60;
const FAR_STRAY_CHANCE = 0.2;

/** A plan that the seed decides, but for the day it is about: events may not be older than the horizon, so that is today. */
export function planUsage(draw: SeededRandom, now: Instant, options: PlanOptions): Plan {
  const {
    events: count,
    days = 3,
    refusals: withRefusals = true,
    conflicts = true,
    longModels = 0,
  } = options;
  const to = Math.floor(now / MICROS_PER_SECOND) * MICROS_PER_SECOND;
  const from = to - days * MICROS_PER_DAY;
  const events: PlannedEvent[] = [];
  const refusals: PlannedRefusal[] = [];
  const placed: { message: PlannedMessage; place: number }[] = [];
  const place = (message: PlannedMessage, near: number): void => {
    const stray = draw.chance(FAR_STRAY_CHANCE) ? draw.next() * count : near + draw.next() * STRAY;
    placed.push({ message, place: stray });
  };
  const everyLong = Math.floor(count / (longModels + 1));
  for (let i = 0; i < count; i++) {
    if (longModels > 0 && i % everyLong === everyLong - 1 && i < longModels * everyLong) {
      const event = planLong(draw, i, { from, to });
      events.push(event);
      for (const copy of event.contents)
        placed.push({ message: { text: render(draw, copy), identity: event.identity }, place: i });
      continue;
    }
    const event = planEvent(draw, i, { from, to, conflicts });
    events.push(event);
    for (const copy of event.contents) place({ text: render(draw, copy), identity: event.identity }, i);
    for (const copy of event.contents) {
      if (draw.chance(DUPLICATE_CHANCE)) place({ text: render(draw, copy), identity: event.identity }, i);
    }
    if (!withRefusals || !draw.chance(REFUSAL_CHANCE)) continue;
    const refusal = planRefusal(draw, i, { from, to });
    refusals.push(refusal);
    place({ text: refusal.text }, i);
  }
  const messages = placed.sort((a, b) => a.place - b.place).map(({ message }) => message);
  // An event without a time happens when its message is published: until the end of the plan's last day, whenever that is.
  return { events, refusals, messages, from, to: to + MICROS_PER_DAY };
}

interface Range {
  readonly from: Instant;
  readonly to: Instant;
}

function planEvent(
  draw: SeededRandom,
  index: number,
  { conflicts, ...range }: Range & { readonly conflicts: boolean },
): PlannedEvent {
  const id = `e-${index}`;
  const source = draw.pick(SOURCES);
  const identity = identityOf(source, id);
  const first = planContent(draw, { id, source, identity }, range);
  if (!conflicts || !draw.chance(CONFLICT_CHANCE)) return { identity, contents: [first] };
  const other = planContent(draw, { id, source, identity }, range);
  return { identity, contents: other.digest === first.digest ? [first] : [first, other] };
}

function planLong(draw: SeededRandom, index: number, range: Range): PlannedEvent {
  const [id, source] = [`long-${index}`, draw.pick(SOURCES)];
  const identity = identityOf(source, id);
  const data = { ...planData(draw, 'llm.request'), model: JSON.stringify(LONG_MODEL) };
  const time = planTime(draw, range);
  const said = {
    type: 'llm.request',
    subject: draw.pick(PLANNED_SUBJECTS),
    sentTime: formatTime(draw, time),
    time,
    data,
  };
  return { identity, contents: [withDigest(identity, { id, source, ...said })] };
}

function planContent(
  draw: SeededRandom,
  { id, source, identity }: { id: string; source: string; identity: string },
  range: Range,
): PlannedCopy {
  const type = draw.chance(0.1) ? UNMETERED_TYPE : draw.pick(METERED_TYPES);
  const subject = draw.pick(PLANNED_SUBJECTS);
  const time = draw.chance(TIMELESS_CHANCE) ? null : planTime(draw, range);
  const sentTime = time === null ? null : formatTime(draw, time);
  return withDigest(identity, { id, source, type, subject, sentTime, time, data: planData(draw, type) });
}

const identityOf = (source: string, id: string): string =>
  hash('sha256', `${NAMESPACE}\0${source}\0${id}`, 'hex').slice(0, 32);

function withDigest(identity: string, said: Omit<PlannedCopy, 'digest'>): PlannedCopy {
  const { type, subject, sentTime, data } = said;
  const canonical = `[${[type, subject, sentTime].map((each) => JSON.stringify(each)).join(',')},${canonicalData(data)}]`;
  const bytes = Buffer.concat([Buffer.from(identity, 'hex'), Buffer.from(canonical)]);
  return { ...said, digest: hash('sha256', bytes, 'hex').slice(0, 32) };
}

/** Some on the very edge of a minute, an hour or a day, where an event must not fall between two cells. */
function planTime(draw: SeededRandom, { from, to }: Range): Instant {
  const at = from + draw.below(to - from);
  return draw.chance(0.1) ? Math.floor(at / MICROS_PER_MINUTE) * MICROS_PER_MINUTE : at;
}

/** The same instant, as producers in different places write it. */
function formatTime(draw: SeededRandom, time: Instant): string {
  const micros = String(time % MICROS_PER_SECOND).padStart(6, '0');
  const east = draw.pick([0, 0, 5.5, -3]) * 60;
  const local = new Date(Math.floor(time / 1_000_000) * 1_000 + east * 60_000).toISOString().slice(0, 19);
  const hours = String(Math.floor(Math.abs(east) / 60)).padStart(2, '0');
  const minutes = String(Math.abs(east) % 60).padStart(2, '0');
  const offset = east === 0 ? 'Z' : `${east < 0 ? '-' : '+'}${hours}:${minutes}`;
  return `${local}.${micros}${offset}`;
}

function planData(draw: SeededRandom, type: string): Data {
  if (type === 'storage.level') return { gb: planNumber(draw, 3) };
  const optional = (name: string, value: string | undefined): Data =>
    value === undefined ? {} : { [name]: JSON.stringify(value) };
  const user = draw.below(40);
  return {
    cost: draw.chance(0.5) ? JSON.stringify(planNumber(draw, 18)) : planNumber(draw, 18),
    latency: planNumber(draw, 6),
    ...optional('model', draw.pick(MODELS)),
    ...optional('region', draw.pick(REGIONS)),
    tokens: draw.chance(0.02) ? '90071992547409931' : String(draw.below(5_000)),
    // The number 7 and the string "7" are the same value to a unique meter.
    user: draw.chance(0.5) ? String(user) : JSON.stringify(String(user)),
  };
}

/** A decimal in canonical form: no trailing zeros, no sign of zero. */
function planNumber(draw: SeededRandom, decimals: number): string {
  const fraction = Array.from({ length: draw.below(decimals + 1) }, () => draw.below(10)).join('');
  const trimmed = fraction.replace(/0+$/, '');
  const text = `${draw.below(1_000)}${trimmed === '' ? '' : `.${trimmed}`}`;
  return draw.chance(0.2) && text !== '0' ? `-${text}` : text;
}

const canonicalData = (data: Data): string =>
  `{${Object.keys(data)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${data[name]}`)
    .join(',')}}`;

/** The event as one of many texts that say the same: members in any order, white space, numbers with idle zeros. */
function render(draw: SeededRandom, copy: PlannedCopy): string {
  const { id, source, type, subject, sentTime, data } = copy;
  const members = draw
    .shuffle(Object.entries(data))
    .map(([name, text]) => `${JSON.stringify(name)}: ${idle(draw, text)}`);
  const attributes = [
    ...Object.entries({ specversion: '1.0', id, source, type, subject }).map(
      ([name, value]) => `"${name}":${JSON.stringify(value)}`,
    ),
    `"data":{${members.join(draw.pick([',', ' , ', ',\n']))}}`,
    ...(sentTime === null ? [] : [`"time":"${sentTime}"`]),
    ...(draw.chance(0.3) ? [`"traceparent":"${draw.below(1_000_000)}"`] : []),
  ];
  return `{${draw.shuffle(attributes).join(',')}}`;
}

function idle(draw: SeededRandom, text: string): string {
  if (text.startsWith('"') || !draw.chance(0.3)) return text;
  return text.includes('.') ? `${text}0` : `${text}.00`;
}

function planRefusal(draw: SeededRandom, index: number, range: Range): PlannedRefusal {
  const event = {
    specversion: '1.0',
    id: `refused-${index}`,
    source: 'urn:svc:chat',
    type: 'llm.request',
    subject: 'acme',
    time: new Date(range.from / 1_000).toISOString(),
    data: { cost: 1, latency: 1, tokens: 1, user: 'u' } as object,
  };
  const text = (changes: object): string => JSON.stringify({ ...event, ...changes });
  const refusals: readonly PlannedRefusal[] = [
    { reason: 'malformed_json', text: `${text({})}}` },
    { reason: 'not_an_event', text: text({ specversion: undefined }) },
    { reason: 'attribute_missing', text: text({ subject: undefined }) },
    { reason: 'attribute_invalid', text: text({ time: 'yesterday' }) },
    { reason: 'value_missing', text: text({ data: { cost: 1, latency: 1, user: 'u' } }) },
    {
      reason: 'value_not_a_number',
      text: text({ data: { cost: 1, latency: 1, tokens: 'many', user: 'u' } }),
    },
    // What is kept of it beside the bytes is cut in the middle of a character of two halves.
    { reason: 'too_large', text: text({ type: `${'t'.repeat(255)}😀` }) },
    { reason: 'too_old', text: text({ time: '2020-01-01T00:00:00Z' }) },
  ];
  return draw.pick(refusals);
}
