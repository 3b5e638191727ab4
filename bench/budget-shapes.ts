import { MICROS_PER_DAY, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { putFeature } from '#infra/catalogue/features.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import type { Database } from '#infra/database/database.ts';
import { putLimits } from '#infra/entitlements/put-limits.ts';

/*
 * Kinds of events, each with what design allows it to write: a row for itself and for each meter that it matches, another where the meter has
 * dimensions, and one each for a distinct value seen first, a hard limit touched, and the day rows of an event that came late into a closed day.
 */

export const NAMESPACE = 'bench';
const SUBJECTS = 40;
const USERS = 500;
const MODELS = ['atlas', 'breeze', 'comet', 'delta'];

export interface ShapedEvent {
  /** Of its message. */
  readonly id: string;
  readonly text: string;
  readonly publishTime: Instant;
}

export interface Shape {
  readonly name: string;
  readonly meters: Readonly<Record<string, MeterDefinition>>;
  /** How long before its publishing an event happened. */
  readonly ageMicros: number;
  /** Of hard limits that an event counts against. */
  readonly hardLimits: number;
}

const tokens: MeterDefinition = { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'tokens' };
const requests: MeterDefinition = { name: 'Requests', eventType: 'use', aggregation: 'count' };

export const SHAPES: readonly Shape[] = [
  { name: 'a sum and a count', meters: { tokens, requests }, ageMicros: 0, hardLimits: 0 },
  {
    name: 'with dimensions and distinct values',
    meters: {
      tokens: { ...tokens, dimensions: { model: 'model' } },
      requests,
      users: { name: 'Users', eventType: 'use', aggregation: 'unique', value: 'user' },
    },
    ...{ ageMicros: 0, hardLimits: 0 },
  },
  { name: 'with two hard limits', meters: { tokens, requests }, ageMicros: 0, hardLimits: 2 },
  {
    name: 'three days late',
    meters: { tokens: { ...tokens, dimensions: { model: 'model' } }, requests },
    ...{ ageMicros: 3 * MICROS_PER_DAY, hardLimits: 0 },
  },
];

/** Random ids, subjects uniform, published one after the other up to `now`. */
export function eventsOf({ ageMicros }: Shape, count: number, now: Instant): ShapedEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const publishTime = now - (count - index) * (MICROS_PER_SECOND / 1_000);
    const bits = mix(index);
    const data = {
      tokens: 1 + (bits % 4_000),
      model: MODELS[bits % MODELS.length],
      user: `u-${mix(bits) % USERS}`,
    };
    const event = {
      ...{ specversion: '1.0', id: `${bits.toString(16)}-${index}`, source: 'urn:bench', type: 'use' },
      ...{ subject: subjectAt(bits % SUBJECTS), time: formatInstant(publishTime - ageMicros), data },
    };
    return { id: `m-${index}`, text: JSON.stringify(event), publishTime };
  });
}

const subjectAt = (place: number): string => `s-${place}`;

/** The rows that these events may write together, before any of them share a row; what each writes of its own is counted from what it says. */
export function rowsBudget({ meters, ageMicros, hardLimits }: Shape, events: readonly ShapedEvent[]): number {
  const all = Object.values(meters);
  const cells = all.length + all.filter(({ dimensions }) => dimensions !== undefined).length;
  const dayRows = ageMicros > 0 ? cells : 0;
  const isUnique = all.some(({ aggregation }) => aggregation === 'unique');
  const values = new Set(events.map(({ text }) => distinctName(text)));
  return events.length * (1 + cells + dayRows + hardLimits) + (isUnique ? values.size : 0);
}

function distinctName(text: string): string {
  const { subject, time, data } = JSON.parse(text) as {
    subject: string;
    time: string;
    data: { user: string };
  };
  return `${subject} ${time.slice(0, 'yyyy-mm-dd'.length)} ${data.user}`;
}

/** Customers with hard limits, where the shape has them. */
export async function setLimits(database: Database, { hardLimits }: Shape, now: Instant): Promise<void> {
  if (hardLimits === 0) return;
  const of = { namespace: NAMESPACE, now };
  const feature = { key: 'tokens', name: 'Tokens', meter: 'tokens' };
  await database.transact((tx) => putFeature(tx, { ...of, ...feature }));
  const limits = [
    { key: 'monthly', amount: '1000000000', period: { every: 'P1M' }, overage: 'hard' },
    { key: 'recent', amount: '100000000', period: { rolling: 'PT5H' }, overage: 'hard' },
  ] as const;
  for (let place = 0; place < SUBJECTS; place++) {
    const key = `c-${place}`;
    const customer = { name: key, subjects: [subjectAt(place)] };
    await database.transact((tx) => putCustomer(tx, { ...of, key, customer }));
    const limited = { customer: key, feature: feature.key, limits: limits.slice(0, hardLimits) };
    await database.transact((tx) => putLimits(tx, { ...of, ...limited }));
  }
}

/** A 32-bit mixer: the same events in every process. */
function mix(value: number): number {
  let bits = (value ^ 0x9e3779b9) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
