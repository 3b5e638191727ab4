import type { z } from 'zod';
import { parseExactJson } from './exact-json.ts';
import { Problem } from './problem.ts';

/** Where a list goes on, as text that callers pass back unread. It holds keys of the last row only, never the namespace. */
export const encodeCursor = (position: unknown): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url');

export const CURSOR_LENGTH_MAX = 4_096;

/** Throws the problem `invalid_cursor` for anything that `encodeCursor` did not make of such a position. */
export function decodeCursor<Schema extends z.ZodType>(schema: Schema, cursor: string): z.output<Schema> {
  if (cursor.length <= CURSOR_LENGTH_MAX) {
    try {
      const parsed = schema.safeParse(parseExactJson(Buffer.from(cursor, 'base64url')));
      if (parsed.success) return parsed.data;
    } catch {
      // What is no JSON is no cursor either.
    }
  }
  throw new Problem('invalid_cursor', 'the cursor is none that this list gave');
}
