/** A dotted path into `data`, ready to be looked up in canonical text. */
export interface JsonPath {
  readonly text: string;
  /** Each segment as it stands in canonical text: `"tokens":`. */
  readonly members: readonly string[];
}

export function compilePath(text: string): JsonPath {
  return { text, members: text.split('.').map((segment) => `${JSON.stringify(segment)}:`) };
}

/**
 * The canonical text of the value at the path, or undefined. Works on canonical text only, where nothing but values and punctuation
 * can stand, so it neither builds objects nor loses a digit: `usage.tokens` in `{"usage":{"tokens":12}}` is `12`.
 */
export function valueAt(data: string, path: JsonPath): string | undefined {
  let at = 0;
  for (const member of path.members) {
    const found = findMember(data, at, member);
    if (found < 0) return undefined;
    at = found;
  }
  return data.slice(at, valueEnd(data, at));
}

/** Where the value of a member begins in the object at `at`; -1 when there is no such object or member. */
function findMember(data: string, at: number, member: string): number {
  if (data.charCodeAt(at) !== 123) return -1;
  let cursor = at + 1;
  while (data.charCodeAt(cursor) === 34) {
    if (data.startsWith(member, cursor)) return cursor + member.length;
    cursor = valueEnd(data, stringEnd(data, cursor) + 1);
    if (data.charCodeAt(cursor) !== 44) return -1;
    cursor++;
  }
  return -1;
}

/** After the closing quote of the string at `at`. */
function stringEnd(data: string, at: number): number {
  let close = data.indexOf('"', at + 1);
  while (isEscaped(data, close)) close = data.indexOf('"', close + 1);
  return close + 1;
}

/** A quote is escaped by an odd number of backslashes before it. */
function isEscaped(data: string, at: number): boolean {
  let backslashes = 0;
  while (data.charCodeAt(at - 1 - backslashes) === 92) backslashes++;
  return backslashes % 2 === 1;
}

/** After the value at `at`. */
function valueEnd(data: string, at: number): number {
  const first = data.charCodeAt(at);
  if (first === 34) return stringEnd(data, at);
  if (first === 123 || first === 91) return containerEnd(data, at);
  let cursor = at;
  for (;;) {
    const code = data.charCodeAt(cursor);
    if (code === 44 || code === 125 || code === 93 || Number.isNaN(code)) return cursor;
    cursor++;
  }
}

function containerEnd(data: string, at: number): number {
  let depth = 0;
  let cursor = at;
  for (;;) {
    const code = data.charCodeAt(cursor);
    if (code === 34) {
      cursor = stringEnd(data, cursor);
      continue;
    }
    cursor++;
    if (code === 123 || code === 91) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return cursor;
  }
}
