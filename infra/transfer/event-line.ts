import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { lineError } from './format.ts';
import type { StoredSaid } from './sent-time.ts';

/** An event as a line holds it. */
export interface EventLine {
  readonly publishedAt: Instant;
  /** The catalogue's version that it was counted with, where it comes from. */
  readonly catalogueVersion: number;
  /** The CloudEvent as JSON text: it is never parsed into doubles on its way. */
  readonly event: string;
}

/** The members are in this order and without spaces, so that the event can be cut out as it stands. */
const EVENT_LINE =
  /^\{"kind":"event","publishedAt":"([^"]{1,64})","catalogueVersion":(\d{1,15}),"event":(\{.*\})\}$/s;
const EVENT_LINE_START = '{"kind":"event",';

export const isEventLine = (text: string): boolean => text.startsWith(EVENT_LINE_START);

/** Throws `TransferError`, naming the line. */
export function readEventLine(line: number, text: string): EventLine {
  const [, published = '', version, event] = EVENT_LINE.exec(text) ?? [];
  const publishedAt = parseRfc3339(published)?.at;
  if (event === undefined || publishedAt === undefined)
    throw lineError(line, 'is not written as an event is');
  return { publishedAt, catalogueVersion: Number(version), event };
}

/** A row of the exact view as its line, without the line feed. `sentTime` says how its time was written, or null. */
export function writeEventLine(row: WarehouseRow, sentTimeOf: (said: StoredSaid) => string | null): string {
  const { id, source, type, subject, data, attributes } = row;
  const time = instantIn(row, 'time');
  const sentTime = sentTimeOf({
    identity: fromHex(String(row['identity'])),
    digest: fromHex(String(row['digest'])),
    type: String(type),
    subject: String(subject),
    data: String(data),
    time,
  });
  // An event without a time takes its publish time, so that is what its time says here.
  const published =
    sentTime === null ? time : instantIn(row, row['published_at'] === null ? 'committed_at' : 'published_at');
  const others = typeof attributes === 'string' && attributes !== '{}' ? `,${attributes.slice(1, -1)}` : '';
  const event =
    `{"specversion":"1.0","id":${JSON.stringify(id)},"source":${JSON.stringify(source)},"type":${JSON.stringify(type)},` +
    `"subject":${JSON.stringify(subject)}${sentTime === null ? '' : `,"time":"${sentTime}"`},"data":${String(data)}${others}}`;
  return `${EVENT_LINE_START}"publishedAt":"${formatInstant(published)}","catalogueVersion":${String(row['catalogue_version'])},"event":${event}}`;
}

function instantIn(row: WarehouseRow, column: string): Instant {
  const parsed = parseRfc3339(String(row[column]));
  if (parsed === undefined) throw new Error(`${column} of the warehouse is no time: ${String(row[column])}`);
  return parsed.at;
}
