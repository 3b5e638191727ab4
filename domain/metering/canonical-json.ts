import type { DeadLetterReason } from './dead-letter.ts';
import { PLAIN_TEXT } from './plain-text.ts';

/** Containers inside `data`: `{}` is one deep. */
export const DATA_DEPTH_MAX = 8;
/** Digits of a number's plain form, before and after the point together. */
export const NUMBER_DIGITS_MAX = 64;

export type JsonFault = Extract<DeadLetterReason, 'malformed_json' | 'too_deep' | 'value_out_of_range'>;

const QUOTE = 34;
const BACKSLASH = 92;
const CONTROL_CHARACTER = /[\u0000-\u001f]/; // eslint-disable-line no-control-regex -- JSON forbids them raw inside strings

/**
 * One pass over a JSON text that yields canonical text: no white space, object keys in UTF-16 order, strings escaped as in RFC 8785,
 * numbers in plain decimal, the last of duplicate keys. Numbers are read from their source text, so no digit is ever lost:
 * `{"b":1.50, "a":9007199254740993}` becomes `{"a":9007199254740993,"b":1.5}`. Where a stretch of the source is canonical already it is
 * sliced, not built. A method gives `undefined` after a fault, which `fault` then names.
 */
export class JsonScanner {
  readonly text: string;
  at = 0;
  fault: JsonFault | undefined;
  /** Counts departures from canonical form; a value during which it stands still is its own canonical text. */
  #departures = 0;
  /** Printable ASCII only and nothing escaped: most texts are, and their strings stand as they are. */
  readonly plain: boolean;
  /** Where the next backslash is; -1 when none is left. */
  #nextBackslash: number;

  /** `plain`: for whoever knows already. */
  constructor(text: string, plain = PLAIN_TEXT.test(text)) {
    this.text = text;
    // Whatever an earlier text left when it turned out to be malformed.
    members.top = 0;
    this.plain = plain;
    this.#nextBackslash = this.plain ? -1 : text.indexOf('\\');
    // Bytes that were decoded never hold half a surrogate pair, but a text from elsewhere may.
    if (!this.plain && !text.isWellFormed()) this.fault = 'malformed_json';
  }

  skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
      this.#departures++;
    }
  }

  /** Keeps the gravest fault: text that is not JSON has no other. */
  fail(fault: JsonFault): undefined {
    if (this.fault === undefined || fault === 'malformed_json') this.fault = fault;
    return undefined;
  }

  /** Takes the character if it comes next. */
  take(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at++;
    return true;
  }

  /** The canonical text of the value that begins here, white space before it skipped. */
  value(depth: number): string | undefined {
    this.skipSpace();
    const code = this.text.charCodeAt(this.at);
    switch (code) {
      case QUOTE:
        return this.#quoted();
      case 123:
        return depth >= DATA_DEPTH_MAX ? this.#tooDeep() : this.#object(depth + 1);
      case 91:
        return depth >= DATA_DEPTH_MAX ? this.#tooDeep() : this.#array(depth + 1);
      case 116:
        return this.#word('true');
      case 102:
        return this.#word('false');
      case 110:
        return this.#word('null');
      default:
        return this.#number();
    }
  }

  /**
   * Steps over a container that is nested too deep: what follows may be a graver fault, or the subject that a dead letter is found by.
   * Its inside is balanced without a stack and not checked further.
   */
  #tooDeep(): string | undefined {
    this.fail('too_deep');
    let open = 0;
    do {
      const code = this.text.charCodeAt(this.at);
      if (code === QUOTE) {
        if (this.#stringEnd() === undefined) return undefined;
        continue;
      }
      if (Number.isNaN(code)) return this.fail('malformed_json');
      if (code === 123 || code === 91) open++;
      else if (code === 125 || code === 93) open--;
      this.at++;
    } while (open > 0);
    return 'null';
  }

  #word(word: string): string | undefined {
    if (!this.text.startsWith(word, this.at)) return this.fail('malformed_json');
    this.at += word.length;
    return word;
  }

  /** The end (after the closing quote) of the string that begins here, or undefined. */
  #stringEnd(): number | undefined {
    const start = this.at;
    if (this.text.charCodeAt(start) !== QUOTE) return this.fail('malformed_json');
    let close = this.text.indexOf('"', start + 1);
    if (this.plain && close > 0) return (this.at = close + 1);
    if (this.#nextBackslash >= 0 && this.#nextBackslash < start)
      this.#nextBackslash = this.text.indexOf('\\', start);
    let backslash = this.#nextBackslash;
    while (backslash >= 0 && backslash < close) {
      if (close === backslash + 1) close = this.text.indexOf('"', close + 1);
      backslash = this.text.indexOf('\\', backslash + 2);
    }
    if (close < 0) return this.fail('malformed_json');
    if (CONTROL_CHARACTER.test(this.text.slice(start, close))) return this.fail('malformed_json');
    this.at = close + 1;
    return this.at;
  }

  /** The value of the string that begins here. */
  string(): string | undefined {
    const start = this.at;
    const end = this.#stringEnd();
    if (end === undefined) return undefined;
    const escaped = this.#nextBackslash >= start && this.#nextBackslash < end;
    return escaped ? this.#unescape(start, end) : this.text.slice(start + 1, end - 1);
  }

  #unescape(start: number, end: number): string | undefined {
    this.#departures++;
    try {
      const value = JSON.parse(this.text.slice(start, end)) as string;
      return value.isWellFormed() ? value : this.fail('malformed_json');
    } catch {
      return this.fail('malformed_json');
    }
  }

  /** The canonical text of the string that begins here, quotes included. */
  #quoted(): string | undefined {
    const start = this.at;
    const end = this.#stringEnd();
    if (end === undefined) return undefined;
    if (this.#nextBackslash < start || this.#nextBackslash >= end) return this.text.slice(start, end);
    const value = this.#unescape(start, end);
    return value === undefined ? undefined : JSON.stringify(value);
  }

  #number(): string | undefined {
    const start = this.at;
    if (this.text.charCodeAt(this.at) === 45) this.at++;
    const integerAt = this.at;
    this.#digits();
    const integerDigits = this.at - integerAt;
    if (integerDigits === 0) return this.fail('malformed_json');
    const leadingZero = this.text.charCodeAt(integerAt) === 48;
    if (leadingZero && integerDigits > 1) return this.fail('malformed_json');
    const next = this.text.charCodeAt(this.at);
    const plainInteger = next !== 46 && next !== 101 && next !== 69;
    // A short whole number other than -0 is canonical as it stands: by far the most frequent case.
    if (plainInteger && integerDigits <= NUMBER_DIGITS_MAX && !(leadingZero && integerAt > start))
      return this.text.slice(start, this.at);
    return this.#longNumber(start);
  }

  #digits(): void {
    for (;;) {
      const digit = this.text.charCodeAt(this.at) - 48;
      if (!(digit >= 0 && digit <= 9)) return;
      this.at++;
    }
  }

  /** Fraction and exponent of the number that began at `start`; its integer part is behind us. */
  #longNumber(start: number): string | undefined {
    if (this.take(46)) {
      const fractionAt = this.at;
      this.#digits();
      if (this.at === fractionAt) return this.fail('malformed_json');
    }
    if (this.take(101) || this.take(69)) {
      if (!this.take(43)) this.take(45);
      const exponentAt = this.at;
      this.#digits();
      if (this.at === exponentAt) return this.fail('malformed_json');
    }
    const source = this.text.slice(start, this.at);
    const plain = plainNumber(source);
    if (plain === undefined) {
      this.fail('value_out_of_range');
      return '0'; // Go on: what follows may be no JSON at all, which is the graver fault.
    }
    if (plain !== source) this.#departures++;
    return plain;
  }

  #array(depth: number): string | undefined {
    const start = this.at++;
    const departures = this.#departures;
    this.skipSpace();
    if (this.take(93)) return departures === this.#departures ? this.text.slice(start, this.at) : '[]';
    let items = '';
    for (;;) {
      const item = this.value(depth);
      if (item === undefined) return undefined;
      items += items === '' ? item : `,${item}`;
      this.skipSpace();
      if (this.take(44)) continue;
      if (!this.take(93)) return this.fail('malformed_json');
      return departures === this.#departures ? this.text.slice(start, this.at) : `[${items}]`;
    }
  }

  #object(depth: number): string | undefined {
    const start = this.at++;
    const departures = this.#departures;
    const base = members.top;
    if (!this.closesAtOnce()) {
      let last: string | undefined;
      do {
        const key = this.#member(depth);
        if (key === undefined) return undefined;
        if (last !== undefined && !(last < key)) this.#departures++;
        last = key;
      } while (this.more());
      if (this.fault === 'malformed_json') return undefined;
    }
    const canonical =
      departures === this.#departures
        ? this.text.slice(start, this.at)
        : `{${this.#inOrder(base).join(',')}}`;
    members.top = base;
    return canonical;
  }

  /** Reads one member and notes where it stands; returns its key. */
  #member(depth: number): string | undefined {
    const keyAt = this.#skipTo();
    const key = this.key();
    if (key === undefined) return undefined;
    const valueAt = this.#skipTo();
    const departures = this.#departures;
    const value = this.value(depth);
    if (value === undefined) return undefined;
    members.note(keyAt, valueAt, this.at, departures === this.#departures ? undefined : value);
    return key;
  }

  /** The members noted since `base`, by key; of equal keys the last. */
  #inOrder(base: number): string[] {
    const order: { key: string; text: string; at: number }[] = [];
    for (let at = base; at < members.top; at++) order.push({ ...this.#memberAt(at), at });
    order.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.at - b.at));
    return order.filter(({ key }, i) => order[i + 1]?.key !== key).map(({ text }) => text);
  }

  #memberAt(at: number): { key: string; text: string } {
    const keyAt = members.keyAt[at] ?? 0;
    const close = this.plain ? this.text.indexOf('"', keyAt + 1) : stringClose(this.text, keyAt);
    const source = this.text.slice(keyAt, close + 1);
    const key = this.plain ? source.slice(1, -1) : (JSON.parse(source) as string);
    const value = members.changed[at] ?? this.text.slice(members.valueAt[at], members.valueEnd[at]);
    return { key, text: `${this.plain ? source : JSON.stringify(key)}:${value}` };
  }

  #skipTo(): number {
    this.skipSpace();
    return this.at;
  }

  /** Just after a `{`: whether the object is empty, and then steps over its end. */
  closesAtOnce(): boolean {
    this.skipSpace();
    return this.take(125);
  }

  /** The key of the next member, stepping over its colon. */
  key(): string | undefined {
    this.skipSpace();
    const key = this.string();
    if (key === undefined) return undefined;
    this.skipSpace();
    return this.take(58) ? key : this.fail('malformed_json');
  }

  /**
   * `key`, where the name that is probably there is known: a producer writes the members of its objects in one order. If it is, none is
   * cut out of the text.
   */
  keyLike(expected: string | undefined): string | undefined {
    this.skipSpace();
    const { text, at } = this;
    if (expected === undefined || text.charCodeAt(at) !== QUOTE || !text.startsWith(expected, at + 1))
      return this.key();
    const close = at + 1 + expected.length;
    if (text.charCodeAt(close) !== QUOTE || text.charCodeAt(close + 1) !== 58) return this.key();
    this.at = close + 2;
    return expected;
  }

  /** After a member: whether another one follows. False at the end of the object, and at a fault. */
  more(): boolean {
    this.skipSpace();
    if (this.take(44)) return true;
    if (!this.take(125)) this.fail('malformed_json');
    return false;
  }

  /** Whether nothing but white space is left. */
  end(): boolean {
    this.skipSpace();
    return this.at === this.text.length;
  }
}

/** The closing quote of the string that opens at `at`, in text that is known to be JSON. */
function stringClose(text: string, at: number): number {
  let close = at + 1;
  while (text.charCodeAt(close) !== QUOTE) close += text.charCodeAt(close) === BACKSLASH ? 2 : 1;
  return close;
}

const MEMBERS_AT_FIRST = 1_024;

/**
 * Where the members of the objects that are being read stand: a stack, shared by all scanners since one reads at a time, so that an object
 * which is canonical already costs no allocation. `changed` holds the canonical text of a value that is not its own.
 */
const members = {
  top: 0,
  keyAt: new Int32Array(MEMBERS_AT_FIRST),
  valueAt: new Int32Array(MEMBERS_AT_FIRST),
  valueEnd: new Int32Array(MEMBERS_AT_FIRST),
  changed: new Array<string | undefined>(MEMBERS_AT_FIRST),
  note(keyAt: number, valueAt: number, valueEnd: number, changed: string | undefined): void {
    if (this.top === this.keyAt.length) this.grow();
    this.keyAt[this.top] = keyAt;
    this.valueAt[this.top] = valueAt;
    this.valueEnd[this.top] = valueEnd;
    this.changed[this.top++] = changed;
  },
  grow(): void {
    const longer = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(array.length * 2);
      copy.set(array);
      return copy;
    };
    this.keyAt = longer(this.keyAt);
    this.valueAt = longer(this.valueAt);
    this.valueEnd = longer(this.valueEnd);
  },
};

const NUMBER_PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Up to here an exponent is a safe integer; no text is long enough for its digits to make up for a larger one. */
const EXPONENT_DIGITS_MAX = 15;

/** `-1.50e2` -> `-150`; undefined where the plain form has more than 64 digits. The work is bounded by the length of the text. */
export function plainNumber(source: string): string | undefined {
  const [, sign = '', integer = '', fraction = '', exponent = '0'] = NUMBER_PARTS.exec(source) ?? [];
  const digits = (integer + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  const trailing = trailingZeros(digits);
  const significant = digits.slice(0, digits.length - trailing);
  if (exponent.replace(/^[+-]?0*/, '').length > EXPONENT_DIGITS_MAX) return undefined;
  const pointFromRight = fraction.length - trailing - Number(exponent);
  const plain = placePoint(significant, pointFromRight);
  return plain === undefined ? undefined : sign + plain;
}

/** Counted by hand, since a regular expression would begin anew at every zero and take quadratic time. */
export function trailingZeros(digits: string): number {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end--;
  return digits.length - end;
}

/** `significant` x 10^-pointFromRight in plain form. */
function placePoint(significant: string, pointFromRight: number): string | undefined {
  const length = significant.length;
  if (pointFromRight <= 0) {
    return length - pointFromRight > NUMBER_DIGITS_MAX
      ? undefined
      : significant + '0'.repeat(-pointFromRight);
  }
  if (Math.max(length, pointFromRight + 1) > NUMBER_DIGITS_MAX) return undefined;
  if (pointFromRight >= length) return `0.${'0'.repeat(pointFromRight - length)}${significant}`;
  return `${significant.slice(0, length - pointFromRight)}.${significant.slice(length - pointFromRight)}`;
}

/** The canonical form of a whole JSON text, or why there is none. */
export function canonicalize(text: string): { canonical: string } | { fault: JsonFault } {
  const scanner = new JsonScanner(text);
  const canonical = scanner.value(0);
  if (canonical === undefined) return { fault: scanner.fault ?? 'malformed_json' };
  if (!scanner.end()) return { fault: 'malformed_json' };
  return scanner.fault ? { fault: scanner.fault } : { canonical };
}
