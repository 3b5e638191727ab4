import { JsonScanner } from './canonical-json.ts';
import { emptyEnvelope, setText, STANDARD_NAMES, type Envelope, type TextAttribute } from './envelope.ts';

/*
 * A producer writes all its events alike: the same members in the same order with the same white space between them, and mostly the same
 * source and type. A shape is what they have in common, learned from one that was read the long way. Where a text follows it, stretches are
 * compared instead of read; where it does not, the text is read the long way, so that a shape decides how fast an event is read and nothing
 * else. Only texts of printable ASCII without a backslash have one: there a string ends at the next quote.
 */

/** The place of one value. */
interface Slot {
  readonly name: TextAttribute | 'data';
  /** What stands between the value before it and this one, quotes included. */
  readonly before: string;
  /** The value that was here last; kept of attributes that mostly stay as they are. */
  last: string | undefined;
}

interface Shape {
  readonly slots: readonly Slot[];
  /** What stands after the last value. */
  readonly after: string;
}

/** Those of the last producers, the one used last first. */
const shapes: Shape[] = [];
const SHAPES_MAX = 4;
/** Of texts without a shape one in so many is learned from: where all differ, learning would be in vain. */
const LEARNED_ONE_IN = 16;
/** What events have in common is short; a shape is kept for as long as the process lives. */
const SHAPE_LENGTH_MAX = 1_024;
const REPEATED_LENGTH_MAX = 256;
let unknown = 0;

const QUOTE = 34;
const OPENING_BRACE = 123;

const REPEATED: ReadonlySet<string> = new Set(['specversion', 'source', 'type', 'datacontenttype']);

/**
 * Reads the event that begins where the scanner stands, if it follows a shape that is known; then the scanner stands behind it. If not, the
 * envelope may hold parts of it and is to be emptied. The scanner's text must be plain.
 */
export function readByShape(scanner: JsonScanner, envelope: Envelope): boolean {
  const start = scanner.at;
  for (let i = 0; i < shapes.length; i++) {
    const shape = shapes[i] as Shape;
    if (matches(shape, scanner, envelope)) {
      if (i > 0) moveToFront(i);
      return true;
    }
    if (scanner.at > start) Object.assign(envelope, emptyEnvelope());
    scanner.at = start;
    scanner.fault = undefined;
  }
  return false;
}

function moveToFront(at: number): void {
  const [shape] = shapes.splice(at, 1);
  if (shape !== undefined) shapes.unshift(shape);
}

function matches({ slots, after }: Shape, scanner: JsonScanner, envelope: Envelope): boolean {
  const { text } = scanner;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as Slot;
    const { name, before } = slot;
    if (!text.startsWith(before, scanner.at)) return false;
    scanner.at += before.length;
    if (name === 'data') {
      const data = scanner.value(0);
      if (data === undefined) return false;
      envelope.data = data;
      continue;
    }
    const value = textAt(scanner, slot);
    if (value === undefined) return false;
    setText(envelope, name, value);
  }
  if (!text.startsWith(after, scanner.at)) return false;
  scanner.at += after.length;
  return scanner.fault === undefined;
}

/** The text up to the next quote, before which the scanner then stands. */
function textAt(scanner: JsonScanner, slot: Slot): string | undefined {
  const { text, at } = scanner;
  const { last } = slot;
  if (last !== undefined && text.startsWith(last, at) && text.charCodeAt(at + last.length) === QUOTE) {
    scanner.at = at + last.length;
    return last;
  }
  const close = text.indexOf('"', at);
  if (close < 0) return undefined;
  scanner.at = close;
  const value = text.slice(at, close);
  if (last !== undefined && value.length <= REPEATED_LENGTH_MAX) slot.last = detached(value);
  return value;
}

/** Remembers how a text is written that was read the long way and is an event, all of its attributes the standard's own. */
export function learnShape(text: string): void {
  if (unknown++ % LEARNED_ONE_IN > 0) return;
  const shape = shapeOf(new JsonScanner(text));
  if (shape === undefined) return;
  shapes.unshift(shape);
  shapes.length = Math.min(shapes.length, SHAPES_MAX);
}

function shapeOf(scanner: JsonScanner): Shape | undefined {
  const { text } = scanner;
  if (!scanner.take(OPENING_BRACE) || scanner.closesAtOnce()) return undefined;
  const slots: Slot[] = [];
  let length = 0;
  let end = 0;
  do {
    const name = scanner.key();
    scanner.skipSpace();
    const slot = slotOf(scanner, name, end);
    if (slot === undefined || slots.some((other) => other.name === slot.name)) return undefined;
    if (scanner.value(0) === undefined) return undefined;
    // The closing quote of a text belongs to what comes after it.
    end = slot.name === 'data' ? scanner.at : scanner.at - 1;
    length += slot.before.length;
    slots.push(slot);
  } while (scanner.more());
  return length > SHAPE_LENGTH_MAX ? undefined : { slots, after: detached(text.slice(end, scanner.at)) };
}

/** The slot of the value where the scanner stands; undefined where it is none that a shape can have. */
function slotOf({ text, at }: JsonScanner, name: string | undefined, from: number): Slot | undefined {
  const standard = STANDARD_NAMES.find((each) => each === name);
  if (standard === undefined) return undefined;
  if (standard === 'data') return { name: standard, before: detached(text.slice(from, at)), last: undefined };
  if (text.charCodeAt(at) !== QUOTE) return undefined;
  const before = detached(text.slice(from, at + 1));
  return { name: standard, before, last: REPEATED.has(standard) ? '' : undefined };
}

/** A piece that is cut out of a text keeps all of it in memory. */
const detached = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
