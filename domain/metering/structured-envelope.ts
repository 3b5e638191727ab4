import { canonicalize, JsonScanner, type JsonFault } from './canonical-json.ts';
import type { Refusal } from './dead-letter.ts';
import {
  emptyEnvelope,
  invalid,
  setText,
  STANDARD_NAMES,
  type Envelope,
  type TextAttribute,
} from './envelope.ts';
import { learnShape, readByShape } from './envelope-shape.ts';
import { isPlainText } from './plain-text.ts';

/** Reads the attributes of an event in structured mode; what kind of event they make is for others to judge. */
export function readStructured(text: string, envelope: Envelope): Refusal | undefined {
  if (readAsLearned(text, envelope)) return undefined;
  const scanner = new JsonScanner(text);
  scanner.skipSpace();
  if (!scanner.take(123)) return notAnObject(text);
  envelope.plain = scanner.plain;
  if (!scanner.closesAtOnce()) {
    let place = 0;
    do {
      const name = scanner.keyLike(namesInOrder[place]);
      if (name === undefined || !readAttribute(scanner, name, envelope)) break;
      if (place < NAMES_REMEMBERED_MAX && namesInOrder[place] !== name) remember(place, name);
      place++;
    } while (scanner.more());
  }
  if (scanner.fault !== 'malformed_json' && !scanner.end()) return jsonRefusal('malformed_json');
  if (scanner.fault !== undefined) return jsonRefusal(scanner.fault);
  if (envelope.plain && envelope.faults === undefined) learnShape(text);
  return envelope.faults?.values().next().value;
}

/** Most events look like the one before them. */
function readAsLearned(text: string, envelope: Envelope): boolean {
  const scanner = new JsonScanner(text);
  if (!scanner.plain) return false;
  if (readByShape(scanner, envelope) && scanner.end()) {
    envelope.plain = true;
    return true;
  }
  Object.assign(envelope, emptyEnvelope());
  return false;
}

/** The names that the last envelope had at each place, as far as they are the standard's own. A guess, which the text confirms or not. */
const namesInOrder: (string | undefined)[] = [];
const NAMES_REMEMBERED_MAX = 12;

function remember(place: number, name: string): void {
  // A name that was cut out of a text would keep all of it in memory, so the constant is remembered.
  namesInOrder[place] = STANDARD_NAMES.find((standard) => standard === name);
}

function notAnObject(text: string): Refusal {
  const whole = canonicalize(text);
  if ('fault' in whole && whole.fault === 'malformed_json') return jsonRefusal('malformed_json');
  return { reason: 'not_an_event', detail: 'a CloudEvent is a JSON object' };
}

/** Reads the value of one member of a structured event. False when it is no JSON; a fault of its kind waits until all of the text was read. */
function readAttribute(scanner: JsonScanner, name: string, envelope: Envelope): boolean {
  switch (name) {
    case 'specversion':
    case 'id':
    case 'source':
    case 'type':
    case 'subject':
    case 'time':
    case 'datacontenttype':
      return readText(scanner, name, envelope);
    case 'data': {
      const data = scanner.value(0);
      envelope.data = data ?? 'null';
      return data !== undefined;
    }
    default:
      return readOther(scanner, name, envelope);
  }
}

function readText(scanner: JsonScanner, name: TextAttribute, envelope: Envelope): boolean {
  scanner.skipSpace();
  const quoted = scanner.text.charCodeAt(scanner.at) === 34;
  const value = quoted ? scanner.string() : scanner.value(0);
  if (value === undefined) return false;
  setText(envelope, name, quoted ? value : null);
  noteFault(envelope, name, quoted || value === 'null' ? undefined : 'must be a string');
  return true;
}

function noteFault(envelope: Envelope, name: string, fault: string | undefined): void {
  if (fault !== undefined) (envelope.faults ??= new Map()).set(name, invalid(name, fault));
  else if (envelope.faults !== undefined) envelope.faults.delete(name);
}

function readOther(scanner: JsonScanner, name: string, envelope: Envelope): boolean {
  const value = scanner.value(0);
  if (value === undefined) return false;
  if (name === 'data_base64')
    noteFault(envelope, name, value === 'null' ? undefined : 'is not supported: send data as JSON');
  else (envelope.others ??= []).push([name, value]);
  return true;
}

export function jsonRefusal(reason: JsonFault): Refusal {
  const details = {
    malformed_json: 'the message is not valid JSON',
    too_deep: 'data is nested more than 8 deep',
    value_out_of_range: 'a number has more than 64 digits in plain form',
  };
  return { reason, detail: details[reason] };
}

/**
 * Reads the event that begins at `at` into an empty envelope, if it is written like one that was read before; returns where its text ends.
 * Undefined where it is not, or no event at all: then the envelope is empty, and the event's own text is to be read by itself.
 */
export type EventReader = (at: number, envelope: Envelope) => number | undefined;

/** Of bytes with many events; undefined where they are not printable ASCII without a backslash. There a text has the bytes' own places. */
export function createEventReader(bytes: Buffer): EventReader | undefined {
  if (!isPlainText(bytes)) return undefined;
  const scanner = new JsonScanner(bytes.toString('latin1'), true);
  return (at, envelope) => {
    scanner.at = at;
    if (!readByShape(scanner, envelope)) return undefined;
    envelope.plain = true;
    return scanner.at;
  };
}
