import { JsonScanner } from './canonical-json.ts';
import { emptyEnvelope, setText, STANDARD_NAMES, type Envelope, type TextAttribute } from './envelope.ts';

/*
 * A producer writes all its events alike: the same members in the same order with the same white space between them, and mostly the same
 * source and type. A shape is what they have in common, learned from one that was read the long way. Where a text follows it, stretches are
 * compared instead of read; where it does not, the text is read the long way, so that a shape decides how fast an event is read and nothing
 * else. Only texts of printable ASCII without a backslash have one: there a string ends at the next quote.
 */

/** A text that mostly stays as it is: the source, the type. */
interface Repeated {
  readonly name: TextAttribute;
  /** What stands between the value before it and this one, quotes included. */
  readonly before: string;
}

/**
 * What stands before a value that differs from event to event, or after the last of them. The texts in it mostly repeat, so that all of it
 * is one comparison.
 */
interface Stretch {
  readonly repeated: readonly Repeated[];
  /** What follows the last of these. */
  readonly rest: string;
  /** How it was written lately. */
  readonly written: Written[];
  /** The value that comes next; undefined at the end of the event. */
  readonly next: TextAttribute | 'data' | undefined;
}

/** A stretch as it stood in an event, and the repeated values in it. */
interface Written {
  readonly text: string;
  readonly values: readonly string[];
}

type Shape = readonly Stretch[];

/** Those of the last producers, the one used last first. */
const shapes: Shape[] = [];
const SHAPES_MAX = 4;
/** Of texts without a shape one in so many is learned from: where all differ, learning would be in vain. */
const LEARNED_ONE_IN = 16;
/** What events have in common is short; a shape is kept for as long as the process lives. */
const SHAPE_LENGTH_MAX = 1_024;
/** Producers of several types, or of a few sources, write a stretch in as many ways. */
const WRITTEN_MAX = 4;
let unknown = 0;
let unknownStretches = 0;

const QUOTE = 34;
const OPENING_BRACE = 123;

const REPEATED: ReadonlySet<TextAttribute> = new Set([
  'specversion',
  'source',
  'type',
  'datacontenttype',
] as const);

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

function matches(shape: Shape, scanner: JsonScanner, envelope: Envelope): boolean {
  for (let i = 0; i < shape.length; i++) {
    const stretch = shape[i] as Stretch;
    if (!follows(stretch, scanner, envelope)) return false;
    const { next } = stretch;
    if (next === undefined) continue;
    const value = next === 'data' ? scanner.value(0) : textAt(scanner);
    if (value === undefined) return false;
    if (next === 'data') envelope.data = value;
    else setText(envelope, next, value);
  }
  return scanner.fault === undefined;
}

/** Steps over a stretch, and takes the values in it. */
function follows(stretch: Stretch, scanner: JsonScanner, envelope: Envelope): boolean {
  const { repeated, written } = stretch;
  for (let i = 0; i < written.length; i++) {
    const { text, values } = written[i] as Written;
    if (!stepOver(text, scanner)) continue;
    for (let j = 0; j < repeated.length; j++)
      setText(envelope, (repeated[j] as Repeated).name, values[j] as string);
    return true;
  }
  // Where nothing repeats it is written in one way only.
  return repeated.length > 0 && readStretch(stretch, scanner, envelope);
}

function readStretch(stretch: Stretch, scanner: JsonScanner, envelope: Envelope): boolean {
  const { text, at } = scanner;
  const values: string[] = [];
  for (const { name, before } of stretch.repeated) {
    if (!stepOver(before, scanner)) return false;
    const value = textAt(scanner);
    if (value === undefined) return false;
    setText(envelope, name, value);
    values.push(value);
  }
  if (!stepOver(stretch.rest, scanner)) return false;
  rememberWritten(stretch, text.slice(at, scanner.at), values);
  return true;
}

/** A piece and one comparison of whole words of it: `startsWith` goes from character to character, in three times the time. */
function stepOver(expected: string, scanner: JsonScanner): boolean {
  const past = scanner.at + expected.length;
  if (scanner.text.slice(scanner.at, past) !== expected) return false;
  scanner.at = past;
  return true;
}

/** Where more is known than is kept, one in so many takes the place of another: values that all differ would be learned in vain. */
function rememberWritten({ written }: Stretch, text: string, values: readonly string[]): void {
  if (text.length > SHAPE_LENGTH_MAX) return;
  if (written.length >= WRITTEN_MAX && unknownStretches++ % LEARNED_ONE_IN > 0) return;
  written.unshift({ text: detached(text), values: values.map(detached) });
  written.length = Math.min(written.length, WRITTEN_MAX);
}

/** The text up to the next quote, before which the scanner then stands. */
function textAt(scanner: JsonScanner): string | undefined {
  const { text, at } = scanner;
  const close = text.indexOf('"', at);
  if (close < 0) return undefined;
  scanner.at = close;
  return text.slice(at, close);
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
  return length > SHAPE_LENGTH_MAX ? undefined : stretchesOf(slots, detached(text.slice(end, scanner.at)));
}

/** The place of one value. */
interface Slot {
  readonly name: TextAttribute | 'data';
  /** What stands between the value before it and this one, quotes included. */
  readonly before: string;
}

function stretchesOf(slots: readonly Slot[], after: string): Shape {
  const shape: Stretch[] = [];
  let repeated: Repeated[] = [];
  for (const { name, before } of slots) {
    if (name !== 'data' && REPEATED.has(name)) {
      repeated.push({ name, before });
    } else {
      shape.push(newStretch(repeated, before, name));
      repeated = [];
    }
  }
  return [...shape, newStretch(repeated, after, undefined)];
}

const newStretch = (repeated: readonly Repeated[], rest: string, next: Stretch['next']): Stretch => ({
  repeated,
  rest,
  written: repeated.length > 0 ? [] : [{ text: rest, values: [] }],
  next,
});

/** The slot of the value where the scanner stands; undefined where it is none that a shape can have. */
function slotOf({ text, at }: JsonScanner, name: string | undefined, from: number): Slot | undefined {
  const standard = STANDARD_NAMES.find((each) => each === name);
  if (standard === undefined) return undefined;
  if (standard === 'data') return { name: standard, before: detached(text.slice(from, at)) };
  if (text.charCodeAt(at) !== QUOTE) return undefined;
  return { name: standard, before: detached(text.slice(from, at + 1)) };
}

/** A piece that is cut out of a text keeps all of it in memory. */
const detached = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
