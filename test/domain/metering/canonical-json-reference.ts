import { Decimal } from 'decimal.js';
import type { JsonFault } from '#domain/metering/canonical-json.ts';

/**
 * A second, slow reading of the contract's canonical form, written apart from the scanner: character by character over a tree, with
 * decimal.js for numbers. `unless` is the fault that a text would have if what makes it no JSON stood inside a container that is too
 * deep, where the scanner balances brackets only.
 */
export interface Reading {
  readonly canonical?: string;
  readonly fault?: JsonFault;
  readonly unless?: JsonFault;
}

/** Wide enough that no exponent of a test text overflows to infinity. */
const Exact = Decimal.clone({ precision: 100, maxE: 9e15, minE: -9e15 });
const DIGITS_MAX = 64;
const DEPTH_MAX = 8;

class NotJson extends Error {}

interface State {
  readonly text: string;
  at: number;
  readonly faults: JsonFault[];
}

export function readSlowly(text: string): Reading {
  const state: State = { text, at: 0, faults: [] };
  try {
    if (!text.isWellFormed()) throw new NotJson('half a surrogate pair');
    const canonical = readValue(state, 0);
    if (state.at !== text.length) throw new NotJson('more than one value');
    const [fault] = state.faults;
    return fault === undefined ? { canonical } : { fault };
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const [unless] = state.faults.includes('too_deep') ? state.faults : [];
    return unless === undefined ? { fault: 'malformed_json' } : { fault: 'malformed_json', unless };
  }
}

function readValue(state: State, depth: number): string {
  skipSpace(state);
  const next = state.text[state.at];
  const value =
    next === '{'
      ? readObject(state, depth + 1)
      : next === '['
        ? readArray(state, depth + 1)
        : next === '"'
          ? JSON.stringify(readString(state))
          : readAtom(state);
  skipSpace(state);
  return value;
}

function skipSpace(state: State): void {
  while (state.at < state.text.length && ' \n\r\t'.includes(state.text[state.at]!)) state.at++;
}

function expectNext(state: State, character: string): void {
  if (state.text[state.at] !== character) throw new NotJson(`${character} is missing`);
  state.at++;
}

function open(state: State, depth: number): void {
  if (depth > DEPTH_MAX) state.faults.push('too_deep');
  state.at++;
  skipSpace(state);
}

function readObject(state: State, depth: number): string {
  open(state, depth);
  const members = new Map<string, string>();
  if (state.text[state.at] !== '}') {
    for (;;) {
      skipSpace(state);
      const key = readString(state);
      skipSpace(state);
      expectNext(state, ':');
      members.set(key, readValue(state, depth));
      if (state.text[state.at] !== ',') break;
      state.at++;
    }
  }
  expectNext(state, '}');
  const sorted = [...members].sort(([a], [b]) => compareCodeUnits(a, b));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
}

function compareCodeUnits(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.charCodeAt(i) - b.charCodeAt(i);
  }
  return a.length - b.length;
}

function readArray(state: State, depth: number): string {
  open(state, depth);
  const items: string[] = [];
  if (state.text[state.at] !== ']') {
    for (;;) {
      items.push(readValue(state, depth));
      if (state.text[state.at] !== ',') break;
      state.at++;
    }
  }
  expectNext(state, ']');
  return `[${items.join(',')}]`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function readString(state: State): string {
  expectNext(state, '"');
  let value = '';
  for (;;) {
    const character = state.text[state.at++];
    if (character === undefined || character < ' ')
      throw new NotJson('a string does not end or holds a control character');
    if (character === '"') break;
    value += character === '\\' ? readEscape(state) : character;
  }
  if (!value.isWellFormed()) throw new NotJson('half a surrogate pair');
  return value;
}

function readEscape(state: State): string {
  const kind = state.text[state.at++] ?? '';
  if (kind === 'u') {
    const hex = state.text.slice(state.at, state.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw new NotJson('four hex digits are missing');
    state.at += 4;
    return String.fromCharCode(parseInt(hex, 16));
  }
  const value = Object.hasOwn(ESCAPES, kind) ? ESCAPES[kind] : undefined;
  if (value === undefined) throw new NotJson('no such escape');
  return value;
}

/** A number or a word: what reaches to the next character that can end one. */
function readAtom(state: State): string {
  const atom = /^[^\s,\]}[{:"]*/.exec(state.text.slice(state.at))?.[0] ?? '';
  state.at += atom.length;
  if (['true', 'false', 'null'].includes(atom)) return atom;
  if (!/^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(atom))
    throw new NotJson(`not a value: ${atom.slice(0, 20)}`);
  if (!/^[^eE]*[1-9]/.test(atom)) return '0';
  const number = new Exact(atom);
  // Beyond the exponents of decimal.js lie only infinity and zero.
  if (
    !number.isFinite() ||
    number.isZero() ||
    Math.max(1, number.e + 1) + number.decimalPlaces() > DIGITS_MAX
  ) {
    if (!state.faults.includes('too_deep')) state.faults.push('value_out_of_range');
    return '0';
  }
  return number.toFixed();
}
