import { DISMISSED_LETTERS_MAX } from '#domain/limits.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import {
  checkSelection,
  readMatching,
  readNamed,
  type DeadLetterSelection,
  type LetterLeftAlone,
} from './dead-letter-selection.ts';
import type { DeadLetterPosition } from './dead-letters.ts';
import { deadLetter } from './tables.ts';

export interface DismissedLetters {
  readonly dismissed: number;
  readonly leftAlone: readonly LetterLeftAlone[];
  /** Where the next call goes on; absent when all that were chosen have been looked at. */
  readonly next?: DeadLetterPosition;
}

/** What one transaction reads: it holds the messages of what it dismisses only for as long. */
const DISMISSED_BYTES_MAX = 64 * 1_024 * 1_024;

/**
 * Closes open dead letters that nobody wants, within a transaction: at most 5,000, or `max`. Their messages stay for 30 days. Throws
 * `RuleError` `too_many_letters` when more are named.
 */
export async function dismissDeadLetters(
  tx: Transaction,
  namespace: string,
  selection: DeadLetterSelection,
  { max = DISMISSED_LETTERS_MAX }: { readonly max?: number } = {},
): Promise<DismissedLetters> {
  const letters = Math.min(max, DISMISSED_LETTERS_MAX);
  checkSelection(selection, letters);
  const { rows, leftAlone, next } =
    'letters' in selection
      ? await readNamed(tx, namespace, selection.letters)
      : await readMatching(tx, namespace, selection, { letters, bytes: DISMISSED_BYTES_MAX });
  for (const { feed, messageId } of rows)
    tx.update(deadLetter, { feed, messageId, state: 'dismissed', closedAt: commitTimestamp });
  return { dismissed: rows.length, leftAlone, ...(next === undefined ? {} : { next }) };
}
