import { compareParts } from '../key-order.ts';
import type { KeyPart } from '../table.ts';
import type { StoredRow } from '#infra/database/field.ts';

export interface MergeOptions {
  /** The columns that each stream is in the order of. */
  readonly order: readonly string[];
  readonly reverse: boolean;
  readonly limit: number | undefined;
}

interface Head {
  readonly rows: AsyncIterator<StoredRow, void>;
  readonly row: StoredRow;
}

/** One stream in order from several that each are. They are read side by side, and all ended when the reader has had enough. */
export async function* mergeRows(
  streams: readonly AsyncGenerator<StoredRow, void>[],
  { order, reverse, limit = Infinity }: MergeOptions,
): AsyncGenerator<StoredRow, void> {
  try {
    const heads = (await Promise.all(streams.map(advance))).filter((head) => head !== undefined);
    for (let given = 0; given < limit && heads.length > 0; given++) {
      const at = firstOf(heads, order, reverse);
      const { row, rows } = heads[at] as Head;
      yield row;
      const next = given + 1 < limit ? await advance(rows) : undefined;
      if (next === undefined) heads.splice(at, 1);
      else heads[at] = next;
    }
  } finally {
    await Promise.all(streams.map((stream) => stream.return()));
  }
}

async function advance(rows: AsyncIterator<StoredRow, void>): Promise<Head | undefined> {
  const next = await rows.next();
  return next.done === true ? undefined : { rows, row: next.value };
}

/** Streams are few, so a look at each beats anything cleverer. */
function firstOf(heads: readonly Head[], order: readonly string[], reverse: boolean): number {
  let first = 0;
  for (let i = 1; i < heads.length; i++) {
    const difference = compareRows((heads[i] as Head).row, (heads[first] as Head).row, order);
    if (reverse ? difference > 0 : difference < 0) first = i;
  }
  return first;
}

function compareRows(a: StoredRow, b: StoredRow, order: readonly string[]): number {
  for (const name of order) {
    const difference = compareParts(a[name] as KeyPart, b[name] as KeyPart);
    if (difference !== 0) return difference;
  }
  return 0;
}
