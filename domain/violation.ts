/** Something wrong with what a user gave: where (a JSON pointer), a stable code, and how to mend it. */
export interface Violation {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** Control characters (C0, DEL, C1), as in the names that events bring. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f]/; // eslint-disable-line no-control-regex -- they are what is refused

/** A text that people read and type: not empty, printable, at most so many bytes of UTF-8. */
export function checkPrintable(pointer: string, text: string, bytesMax: number): Violation[] {
  if (text === '') return [{ pointer, code: 'empty', message: 'must not be empty' }];
  if (UNPRINTABLE.test(text) || !text.isWellFormed())
    return [{ pointer, code: 'unprintable', message: 'holds a control character or half a surrogate pair' }];
  if (Buffer.byteLength(text, 'utf8') > bytesMax)
    return [{ pointer, code: 'too_long', message: `has more than ${bytesMax} bytes` }];
  return [];
}

/** One step of a JSON pointer, escaped as RFC 6901 asks. */
export const pointerStep = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
