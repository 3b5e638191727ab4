/** A number of a request whose digits a double cannot hold: it is kept as its text, so that no digit is lost unseen. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** In an answer, too, it stands with all its digits. */
  toJSON(): unknown {
    return rawJson.rawJSON(this.text);
  }
}

/** Nothing the API takes nests deeper; a document of brackets alone must not cost a deep recursion. */
export const BODY_DEPTH_MAX = 32;

export class JsonTooDeep extends Error {
  constructor() {
    super(`the body nests deeper than ${BODY_DEPTH_MAX} levels`);
    this.name = 'JsonTooDeep';
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a JSON document. A number that a double would change (`9007199254740993`, `1e999`) becomes a `NumberText`; every other one is a
 * number. Throws a SyntaxError or TypeError for what is no JSON in UTF-8, and `JsonTooDeep`.
 */
export function parseExactJson(bytes: Uint8Array): unknown {
  const text = utf8.decode(bytes);
  if (depthOf(text) > BODY_DEPTH_MAX) throw new JsonTooDeep();
  return MAY_BE_INEXACT.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

/** Up to 15 digits are always exact; only longer ones, and exponents, need to be looked at one by one. */
const MAY_BE_INEXACT = /[\d.]{16}|\d[eE]/;

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return isExact(context.source, value) ? value : new NumberText(context.source);
}

/** Writes a value that `parseExactJson` read, with every digit that it had. */
export const exactJsonText = (value: unknown): string => JSON.stringify(value);

/** Part of the language since 2025, and not yet of the compiler's own description of it. */
const rawJson = JSON as JSON & { rawJSON(text: string): unknown };

/** Whether the number says what its text says: both have the same digits and the same exponent. */
const isExact = (text: string, value: number): boolean =>
  Number.isFinite(value) && normal(text) === normal(String(value));

/** `-12.50e1` as sign, digits without zeros at either end, and the power of ten of the first digit: `-125|2`. */
function normal(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const negative = mantissa.startsWith('-');
  const [integer = '', fraction = ''] = (negative ? mantissa.slice(1) : mantissa).split('.');
  const digits = `${integer}${fraction}`;
  const leading = digits.length - digits.replace(/^0+/, '').length;
  const significant = digits.slice(leading).replace(/0+$/, '');
  if (significant === '') return '0';
  return `${negative ? '-' : ''}${significant}|${Number(exponent) + integer.length - leading}`;
}

const QUOTE = 34;
const BACKSLASH = 92;
const isOpening = (code: number): boolean => code === 91 || code === 123;
const isClosing = (code: number): boolean => code === 93 || code === 125;

/** The deepest nesting of brackets outside strings; for text that is no JSON any number. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (isOpening(code)) deepest = Math.max(deepest, ++depth);
    else if (isClosing(code)) depth--;
  }
  return deepest;
}
