import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND } from '#domain/instant.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { OutgoingMessage } from '#infra/topic/topic.ts';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';
import type { ModelData } from '#test/support/usage-model.ts';

/*
 * What happens in a simulated run, drawn from its seed. The worlds are small on purpose: few subjects, minutes and values, so that
 * events meet in the same cells.
 */

/** Two namespaces share the feed, and everything else: subjects, sources and ids are the same in both. */
export const NAMESPACES = ['default', 'sandbox'] as const;
/** Where messages without a namespace are dead-lettered. */
export const STRAYS = 'default';
export const NAMESPACE = NAMESPACES[0];
export const SOURCE = 'urn:svc:test';

/** Every filter used here, in CEL and told plainly. A field that is missing is an error in CEL, and no match. */
export const FILTERS: Readonly<Record<string, (data: ModelData) => boolean>> = {
  "data.m != 'free'": ({ m }) => m !== undefined && m !== 'free',
  "data.m == 'm1'": ({ m }) => m === 'm1',
};

type Meters = Readonly<Record<string, MeterDefinition>>;

const use = { eventType: 'use' } as const;
const state = { eventType: 'state' } as const;
const byModel = { dimensions: { model: 'm' } } as const;

/** All eight aggregations, with dimensions and filters, over two event types; `note` is a third that nothing counts. */
export const METERS: Meters = {
  calls: { name: 'Calls', aggregation: 'count', ...use, ...byModel },
  tokens: { name: 'Tokens', aggregation: 'sum', value: 'v', filter: "data.m != 'free'", ...use },
  least: { name: 'Least', aggregation: 'min', value: 'v', ...use },
  most: { name: 'Most', aggregation: 'max', value: 'v', dimensions: { model: 'm', user: 'u' }, ...use },
  mean: { name: 'Mean', aggregation: 'average', value: 'v', ...state, ...byModel },
  users: { name: 'Users', aggregation: 'unique', value: 'u', ...state, ...byModel },
  newest: { name: 'Newest', aggregation: 'latest', value: 'v', ...state },
  storage: { name: 'Storage', aggregation: 'timeWeightedSum', value: 'v', ...state, ...byModel },
};

/** Other definitions of some meters: each becomes a version of its own. One of them refuses events that have no `w`. */
export const NEXT_METERS: readonly (readonly [key: string, definition: MeterDefinition])[] = [
  ['tokens', { name: 'Tokens', aggregation: 'sum', value: 'v', filter: "data.m == 'm1'", ...use }],
  ['tokens', { name: 'Tokens', aggregation: 'max', value: 'v', ...use }],
  ['least', { name: 'Least', aggregation: 'min', value: 'w', ...use }],
  ['storage', { name: 'Storage', aggregation: 'timeWeightedSum', value: 'v', ...state }],
  ['calls', { name: 'Calls', aggregation: 'count', filter: "data.m != 'free'", ...use }],
];

/** An event as a producer writes it. */
export interface Draft {
  readonly namespace: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly time: string | undefined;
  readonly data: ModelData;
}

const VALUES = [
  '0',
  '1',
  '1',
  '-2.5',
  '7',
  '0.000000000000000001',
  '12345678901234567890.5',
  '9007199254740993',
];
const SUBJECTS = ['acme', 'zürich/7'];

/** A moment of the last three days, by preference near a midnight or in a crowded minute. Far enough from the edges of the age test. */
export function drawTime(draw: SeededRandom): string {
  const day = SIMULATION_START + draw.pick([-3, -2, -1, -1, 0]) * MICROS_PER_DAY;
  if (day === SIMULATION_START) return formatInstant(day + draw.below(3) * MICROS_PER_MINUTE + draw.below(2));
  const offsets = [
    0,
    1,
    30 * MICROS_PER_SECOND,
    MICROS_PER_DAY - 1,
    MICROS_PER_DAY - MICROS_PER_MINUTE,
    12.5 * MICROS_PER_HOUR,
  ];
  return formatInstant(day + draw.pick(offsets));
}

function drawData(draw: SeededRandom): ModelData {
  const m = draw.pick(['m1', 'm1', 'free', undefined]);
  const w = draw.chance(0.7) ? draw.pick(VALUES) : undefined;
  return {
    v: draw.pick(VALUES),
    u: draw.pick(['ann', 'bob']),
    ...(m === undefined ? {} : { m }),
    ...(w === undefined ? {} : { w }),
  };
}

export const drawEvent = (draw: SeededRandom, id: string): Draft => ({
  namespace: draw.pick(NAMESPACES),
  id,
  type: draw.pick(['use', 'use', 'state', 'state', 'note']),
  subject: draw.pick(SUBJECTS),
  time: draw.chance(0.85) ? drawTime(draw) : undefined,
  data: drawData(draw),
});

/** The same identity saying something else: another time, subject, type or value. */
function drawConflict(draw: SeededRandom, of: Draft): Draft {
  const other = drawEvent(draw, of.id);
  return {
    ...of,
    ...draw.pick([
      { time: other.time },
      { subject: other.subject },
      { type: other.type },
      { data: other.data },
    ]),
  };
}

/** What no catalogue takes: no subject, a value that is none or missing, or a time beyond the horizon. */
function drawRefused(draw: SeededRandom, id: string): Draft {
  const event = drawEvent(draw, id);
  const { v: _, ...withoutValue } = event.data;
  return draw.pick<Draft>([
    { ...event, subject: undefined },
    { ...event, type: 'state', data: { ...event.data, v: 'many' } },
    { ...event, type: 'state', data: withoutValue },
    { ...event, time: formatInstant(SIMULATION_START - 46 * MICROS_PER_DAY) },
    { ...event, time: formatInstant(SIMULATION_START + MICROS_PER_DAY) },
  ]);
}

export function toMessage({ namespace, id, type, subject, time, data }: Draft): OutgoingMessage {
  const event = { specversion: '1.0', id, source: SOURCE, type, subject, time, data };
  return {
    data: new TextEncoder().encode(JSON.stringify(event)),
    attributes: namespaceAttributes(namespace),
  };
}

/** An event in some runs that the store refuses to hold, and the reason it is then dead-lettered with. */
export const REFUSED_SUBJECT = 'unstorable';
export const REFUSED_BY_STORE = 'rejected_by_store';

const BROKEN: OutgoingMessage = {
  data: new TextEncoder().encode('{"specversion":"1.0",'),
  attributes: namespaceAttributes('sandbox'),
};

/** A message that does not say whose it is, or says it in vain. */
const drawStray = (draw: SeededRandom, id: string): OutgoingMessage => ({
  data: toMessage(drawEvent(draw, id)).data,
  ...draw.pick([{}, { attributes: namespaceAttributes('No/Namespace') }]),
});

export const eventId = (number: number): string => `e-${number}`;

/** Everything that is published in one run, in an order of its own. */
export function drawMessages(draw: SeededRandom, events: number): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  for (let i = 0; i < events; i++) {
    const event = drawEvent(draw, eventId(i));
    const copies = [event];
    // The same source and id in another namespace are another event.
    if (draw.chance(0.3)) copies.push({ ...event, namespace: draw.pick(NAMESPACES) });
    if (draw.chance(0.25)) copies.push(event);
    if (draw.chance(0.25)) copies.push(drawConflict(draw, event));
    if (draw.chance(0.1)) copies.push(drawConflict(draw, event));
    messages.push(...copies.map(toMessage));
    if (draw.chance(0.08)) messages.push(toMessage(drawRefused(draw, draw.pick([`bad-${i}`, eventId(i)]))));
  }
  if (draw.chance(0.3)) messages.push(BROKEN);
  if (draw.chance(0.2)) messages.push(drawStray(draw, 'e-stray'));
  if (draw.chance(0.2))
    messages.push(toMessage({ ...drawEvent(draw, 'e-unstorable'), subject: REFUSED_SUBJECT }));
  return draw.shuffle(messages);
}
