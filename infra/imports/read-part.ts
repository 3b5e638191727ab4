import { IMPORT_ATTRIBUTE } from '#domain/corrections/select-event.ts';
import type { Instant } from '#domain/instant.ts';
import { IMPORT_PART_LINES_MAX } from '#domain/limits.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { compilePath, valueAt } from '#domain/metering/json-path.ts';
import { judgeImported } from '#domain/metering/lateness.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { ImportError } from './errors.ts';

/** A line of a part: an event as the commit takes it, or why it is none. */
export type ReadLine =
  | { readonly line: number; readonly delivery: Delivery & { readonly event: UsageEvent } }
  | { readonly line: number; readonly refusal: { readonly code: string; readonly detail: string } };

export interface ReadPart {
  readonly namespace: string;
  /** The import, which each of its events names. */
  readonly id: string;
  /** When the import was made: its events are published then. */
  readonly createdAt: Instant;
}

const LINE_FEED = 10;
const IMPORT_PATH = compilePath(IMPORT_ATTRIBUTE);

/** The lines of a part that are not empty, read one by one: a CloudEvent each. Throws `ImportError` `invalid_import` for too many. */
export function* readPart(of: ReadPart, bytes: Uint8Array): Generator<ReadLine, void> {
  let line = 0;
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    const data = bytes.subarray(start, end);
    start = end + 1;
    if (++line > IMPORT_PART_LINES_MAX)
      throw new ImportError(
        'invalid_import',
        `a part has more than ${IMPORT_PART_LINES_MAX} lines: send it in several`,
      );
    if (!isBlank(data)) yield readLine(of, line, data);
  }
}

const isBlank = (data: Uint8Array): boolean => data.every((byte) => byte === 32 || byte === 9 || byte === 13);

function readLine({ namespace, id, createdAt }: ReadPart, line: number, data: Uint8Array): ReadLine {
  const message = {
    id: `${id}-${line}`,
    data,
    attributes: {},
    publishTime: createdAt,
    attempt: 1,
    ackId: '',
  };
  const { event, refusal } = parseEvent(namespace, message, judgeImported);
  if (event === undefined) return { line, refusal: { code: refusal.reason, detail: refusal.detail } };
  if (event.sentTime === null)
    return {
      line,
      refusal: { code: 'attribute_missing', detail: 'time is required of an event that is imported' },
    };
  const { attributes } = event;
  if (attributes !== null && valueAt(attributes, IMPORT_PATH) !== undefined)
    return {
      line,
      refusal: { code: 'attribute_invalid', detail: `${IMPORT_ATTRIBUTE} is what names the import` },
    };
  const named = { ...event, attributes: withImport(attributes, id) };
  return { line, delivery: { message, namespace, event: named } };
}

/** The attributes with the import among them: so all that it brought can be told, and taken back. */
function withImport(attributes: string | null, id: string): string {
  const own = `${JSON.stringify(IMPORT_ATTRIBUTE)}:${JSON.stringify(id)}`;
  return attributes === null || attributes === '{}' ? `{${own}}` : `${attributes.slice(0, -1)},${own}}`;
}
