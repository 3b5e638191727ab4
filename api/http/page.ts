import type { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** Where a list is to go on; undefined at its beginning. */
export const positionOf = <Schema extends z.ZodType>(
  cursor: string | undefined,
  schema: Schema,
): z.output<Schema> | undefined => (cursor === undefined ? undefined : decodeCursor(schema, cursor));

/** One page of rows of which one more than a page was asked for: that one tells whether there is a next page. */
export function pageAfter<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { item, position }: { readonly item: (row: Row) => Item; readonly position: (row: Row) => unknown },
): { items: Item[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: page.map(item), nextCursor: more ? encodeCursor(position(last)) : null };
}
