// What one event costs to read, to judge in a batch of the API, and to write as a row of the warehouse: CPU of this process, nothing stored.
import { summarise } from './figure.ts';
import { makeWorkload } from './workload.ts';
import { judgeSent } from '#api/events/judge-events.ts';
import { JSON_TYPE, readSentEvents } from '#api/events/read-request.ts';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { parseEvent, type RawMessage } from '#domain/metering/parse-event.ts';
import { toEventRow } from '#infra/usage/append-events.ts';
import { createEventEncoder } from '#infra/warehouse/embedded/event-encoder.ts';
import { createTextBuffer } from '#infra/warehouse/embedded/text-buffer.ts';
import { encodeRows } from '#infra/warehouse/embedded/text-format.ts';

const EVENTS = 48_000;
const SUBJECTS = 1_000;
/** As large as a full micro-batch, and a request with the most events. */
const ROWS_PER_APPEND = 8_000;
const EVENTS_PER_REQUEST = 1_000;
const WARM_UP_ROUNDS = 8;
const ROUNDS = 21;

const now = Date.now();
const publishTime = now * MICROS_PER_MILLI;
const { lines } = makeWorkload({ events: EVENTS, subjects: SUBJECTS, now });

const inRuns = <Item>(items: readonly Item[], length: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / length) }, (_, at) =>
    items.slice(at * length, (at + 1) * length),
  );

const messages: RawMessage[] = lines.map((line) => ({
  data: Buffer.from(line),
  attributes: {},
  publishTime,
}));
const bodies = inRuns(lines, EVENTS_PER_REQUEST).map((run) => Buffer.from(`[${run.join(',')}]`));
const commit = { committedAt: publishTime, catalogueVersion: 2, matchedMeters: ['tokens@1', 'requests@1'] };
const rows = messages.flatMap((message) => {
  const { event } = parseEvent('default', message);
  return event === undefined ? [] : [toEventRow(event, 'accepted', commit)];
});
const appends = inRuns(rows, ROWS_PER_APPEND);
const encoder = createEventEncoder();
const buffer = createTextBuffer();

/** Each gives how many events it found in order: a wrong result has no speed. */
const PARTS: Readonly<Record<string, () => number>> = {
  'JSON.parse alone': () => lines.filter((line) => JSON.parse(line) !== null).length,
  'parse, identity, digest': () =>
    messages.filter((message) => parseEvent('default', message).event !== undefined).length,
  'cut out of a batch and judged': () =>
    bodies
      .flatMap((bytes) => readSentEvents({}, { mediaType: JSON_TYPE, bytes }))
      .filter((sent) => judgeSent(sent, { now: publishTime, catalogue: undefined }).refusal === undefined)
      .length,
  'row of the warehouse': () =>
    appends.reduce((count, append) => count + encodeRows(encoder, append, buffer).rows, 0),
};

function microsPerEvent(part: () => number): number {
  const began = process.cpuUsage();
  const found = part();
  const { user, system } = process.cpuUsage(began);
  if (found !== EVENTS) throw new Error(`found ${found} of ${EVENTS} events`);
  return (user + system) / EVENTS;
}

const rounds = new Map<string, number[]>(Object.keys(PARTS).map((name) => [name, []]));
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++)
  for (const [name, part] of Object.entries(PARTS)) {
    const micros = microsPerEvent(part);
    if (round >= 0) rounds.get(name)?.push(micros);
  }
for (const [name, micros] of rounds) {
  const { value, spread } = summarise(name, 'µs', micros);
  console.log(
    `${name.padEnd(32)} ${value.toFixed(2)} µs [${spread.map((each) => each.toFixed(2)).join(' - ')}]`,
  );
}
