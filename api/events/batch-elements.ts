import { createEventReader, type EventReader } from '#domain/metering/structured-envelope.ts';
import { emptyEnvelope } from '#domain/metering/envelope.ts';
import { MESSAGE_BYTES_MAX } from '#domain/limits.ts';
import { NO_ATTRIBUTES, type SentEvent } from './sent-event.ts';

/** The elements of a JSON array as the very bytes they were sent with, white space around them left out. */
export type BatchElements =
  | { readonly elements: readonly SentEvent[]; readonly fault?: never }
  | { readonly elements?: never; readonly fault: BatchFault };

/** `not_an_array`: something else than an array. `cut`: its brackets, strings and commas do not fit together. */
export type BatchFault = 'not_an_array' | 'cut' | 'too_many';

const QUOTE = 34;
const COMMA = 44;
const OPENING_BRACKET = 91;
const BACKSLASH = 92;
const CLOSING_BRACKET = 93;
const OPENING_BRACE = 123;
const CLOSING_BRACE = 125;

const isSpace = (byte: number | undefined): boolean =>
  byte === 32 || byte === 10 || byte === 13 || byte === 9;

export const startsWithArray = (bytes: Uint8Array): boolean =>
  bytes[afterSpace(bytes, 0)] === OPENING_BRACKET;

/**
 * Cuts a JSON array into its elements in one pass over its bytes, at most `max` of them. An event that is written like those before it is
 * read at once, which tells its end. Of others only strings, brackets and the commas between
 * elements are looked at: whether an element is JSON is for its own parser to say, so that a broken one does not take the others with
 * it. All that has a meaning here is ASCII, which no byte of a longer UTF-8 character is mistaken for.
 */
export function cutBatch(bytes: Uint8Array, max: number): BatchElements {
  let at = afterSpace(bytes, 0);
  if (bytes[at] !== OPENING_BRACKET) return { fault: 'not_an_array' };
  at = afterSpace(bytes, at + 1);
  if (bytes[at] === CLOSING_BRACKET) return endsAfter(bytes, at) ? { elements: [] } : { fault: 'cut' };
  const elements: SentEvent[] = [];
  const readEvent = eventReaderOf(bytes);
  for (;;) {
    const start = afterSpace(bytes, at);
    const envelope = emptyEnvelope();
    const eventEnd = readEvent(start, envelope);
    // Where something else follows the event, all of that is one broken element.
    const readTo = eventEnd !== undefined && endsElement(bytes, eventEnd) ? eventEnd : undefined;
    const end = readTo === undefined ? elementEnd(bytes, start) : afterSpace(bytes, readTo);
    if (end === start || end < 0) return { fault: 'cut' };
    if (elements.length === max) return { fault: 'too_many' };
    const length = (readTo ?? beforeSpace(bytes, end)) - start;
    // A buffer would take twice as long to make.
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
    // One that is too large has a refusal of its own, which comes before all others.
    const isRead = readTo !== undefined && length <= MESSAGE_BYTES_MAX;
    elements.push({
      data,
      attributes: NO_ATTRIBUTES,
      envelope: isRead ? envelope : undefined,
      refusal: undefined,
    });
    if (bytes[end] !== COMMA) return endsAfter(bytes, end) ? { elements } : { fault: 'cut' };
    at = end + 1;
  }
}

/** The bytes become text in pieces of so many: one text of all of them would be given memory of its own by the system each time. */
const PIECE_BYTES = 32 * 1_024;
/** The next piece begins at the event that has no more than that left of the one before: a longer event may be read by itself. */
const EVENT_BYTES_USUAL = 4 * 1_024;

/** Reads events where they stand in the bytes, one after the other. */
function eventReaderOf({ buffer, byteOffset, byteLength }: Uint8Array): EventReader {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  let from = 0;
  let past = 0;
  let read: EventReader | undefined;
  return (at, envelope) => {
    if (past < byteLength && past - at < EVENT_BYTES_USUAL) {
      from = at;
      past = Math.min(at + PIECE_BYTES, byteLength);
      read = createEventReader(bytes.subarray(from, past));
    }
    const end = read?.(at - from, envelope);
    return end === undefined ? undefined : end + from;
  };
}

function endsElement(bytes: Uint8Array, at: number): boolean {
  const next = bytes[afterSpace(bytes, at)];
  return next === COMMA || next === CLOSING_BRACKET;
}

/** Where the element that begins at `start` ends: at the comma or the bracket after it. -1 where neither comes. */
function elementEnd(bytes: Uint8Array, start: number): number {
  let open = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = stringClose(bytes, at);
    } else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) {
      open++;
    } else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
      if (open === 0) return byte === CLOSING_BRACKET ? at : -1;
      open--;
    } else if (byte === COMMA && open === 0) {
      return at;
    }
  }
  return -1;
}

/** The closing quote of the string that opens at `at`; the end of the bytes where there is none. */
function stringClose(bytes: Uint8Array, at: number): number {
  let close = at + 1;
  for (; close < bytes.length && bytes[close] !== QUOTE; close++) if (bytes[close] === BACKSLASH) close++;
  return close;
}

function afterSpace(bytes: Uint8Array, at: number): number {
  let next = at;
  while (isSpace(bytes[next])) next++;
  return next;
}

function beforeSpace(bytes: Uint8Array, end: number): number {
  let last = end;
  while (isSpace(bytes[last - 1])) last--;
  return last;
}

/** Whether nothing but white space follows. */
const endsAfter = (bytes: Uint8Array, at: number): boolean => afterSpace(bytes, at + 1) === bytes.length;
