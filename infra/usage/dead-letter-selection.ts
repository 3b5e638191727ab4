import { RuleError } from '#infra/rule-error.ts';
import type { Reads } from '#infra/database/database.ts';
import type { DeadLetterName } from './dead-letter-name.ts';
import {
  matchesType,
  positionOfLetter,
  scanDeadLetters,
  type DeadLetterFilter,
  type DeadLetterPosition,
  type DeadLetterRow,
} from './dead-letters.ts';
import { deadLetter } from './tables.ts';

/** Some open dead letters: by name, or all that match, the newest first, from a position on. */
export type DeadLetterSelection =
  | { readonly letters: readonly DeadLetterName[] }
  | { readonly matching: Omit<DeadLetterFilter, 'state'>; readonly after?: DeadLetterPosition };

/** Why a chosen letter was left as it is. `cut`: only the beginning of its message was kept. */
export type LeftAlone = 'not_found' | 'closed' | 'cut' | 'too_many_attributes';

export interface LetterLeftAlone extends DeadLetterName {
  readonly why: LeftAlone;
}

/** Open letters of a selection, and what was found instead of others. */
export interface ChosenLetters {
  readonly rows: readonly DeadLetterRow[];
  readonly leftAlone: readonly LetterLeftAlone[];
  /** Where the selection goes on; absent when all of it has been looked at. */
  readonly next?: DeadLetterPosition;
}

/** What a selection is gathered within; a selection by type looks at the letters of all types. */
export interface Bounds {
  readonly letters: number;
  readonly bytes: number;
}
const LOOKED_AT_MAX = 10_000;

export type TooManyLetters = RuleError<'too_many_letters'>;

/** Throws `RuleError` `too_many_letters` when more are named than may be. */
export function checkSelection(selection: DeadLetterSelection, max: number): void {
  if (!('letters' in selection) || selection.letters.length <= max) return;
  throw new RuleError(
    'too_many_letters',
    `${selection.letters.length} dead letters are named, one call takes ${max}`,
  );
}

/** The named letters: all of them. */
export async function readNamed(
  from: Reads,
  namespace: string,
  names: readonly DeadLetterName[],
): Promise<ChosenLetters> {
  const rows: DeadLetterRow[] = [];
  const leftAlone: LetterLeftAlone[] = [];
  const found = await from.read(
    deadLetter,
    names.map(({ feed, messageId }) => [feed, messageId]),
  );
  names.forEach((name, i) => {
    const row = found[i];
    if (row?.namespace !== namespace) leftAlone.push({ ...name, why: 'not_found' });
    else if (row.state !== 'open') leftAlone.push({ ...name, why: 'closed' });
    else rows.push(row);
  });
  return { rows, leftAlone };
}

/** The first matching letters from a position on, within bounds. */
export async function readMatching(
  from: Reads,
  namespace: string,
  { matching, after }: { matching: Omit<DeadLetterFilter, 'state'>; after?: DeadLetterPosition | undefined },
  bounds: Bounds,
): Promise<ChosenLetters> {
  const rows: DeadLetterRow[] = [];
  let [lookedAt, bytes] = [0, 0];
  let last: DeadLetterPosition | undefined;
  const filter = { ...matching, state: 'open', ...(after ? { after } : {}) } as const;
  for await (const row of scanDeadLetters(from, namespace, filter)) {
    const isFull = rows.length >= bounds.letters || bytes >= bounds.bytes || lookedAt >= LOOKED_AT_MAX;
    if (isFull && last !== undefined) return { rows, leftAlone: [], next: last };
    lookedAt++;
    last = positionOfLetter(row);
    if (!matchesType(row, matching)) continue;
    rows.push(row);
    bytes += row.bytes.length;
  }
  return { rows, leftAlone: [] };
}
