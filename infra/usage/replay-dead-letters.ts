import { REPLAYED_LETTERS_MAX } from '#domain/limits.ts';
import type { Database } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { MAX_ATTRIBUTES } from '#infra/topic/limits.ts';
import type { OutgoingMessage, Topic } from '#infra/topic/topic.ts';
import {
  checkSelection,
  readMatching,
  readNamed,
  type ChosenLetters,
  type DeadLetterSelection,
  type LetterLeftAlone,
} from './dead-letter-selection.ts';
import type { DeadLetterPosition, DeadLetterRow } from './dead-letters.ts';
import { replayAttributes, withoutReserved } from './feed.ts';

export interface ReplayedLetters {
  /** Messages published. Their letters stay open until the commit that takes them. */
  readonly published: number;
  readonly leftAlone: readonly LetterLeftAlone[];
  /** Where the next call goes on; absent when all that were chosen have been looked at. */
  readonly next?: DeadLetterPosition;
}

/** One call publishes no more than this, so that it ends; the next goes on where it stopped. */
const REPLAYED_BYTES_MAX = 256 * 1_024 * 1_024;
/** What is read and published together. A named letter may have 1 MiB, so few are read at once. */
const MATCHING_CHUNK = { letters: 500, bytes: 8 * 1_024 * 1_024 } as const;
const NAMED_CHUNK_LETTERS = 12;

/**
 * Publishes dead letters again, with their original bytes, namespace and publish time, to the topic whose attributes are trusted. At most
 * 10,000 letters, or `max`, a call, and of those that match 256 MiB. Safe to repeat, and harmless twice: an event counts once. Throws `RuleError`
 * `too_many_letters` when more are named, and `TopicUnavailable`: what was published by then stays so.
 */
export async function replayDeadLetters(
  { database, topic }: { readonly database: Database; readonly topic: Pick<Topic, 'publish'> },
  namespace: string,
  selection: DeadLetterSelection,
  { max = REPLAYED_LETTERS_MAX }: { readonly max?: number } = {},
): Promise<ReplayedLetters> {
  const lettersMax = Math.min(max, REPLAYED_LETTERS_MAX);
  checkSelection(selection, lettersMax);
  const leftAlone: LetterLeftAlone[] = [];
  let [published, lookedAt, bytes] = [0, 0, 0];
  for await (const chunk of chunksOf(database, namespace, selection, lettersMax)) {
    const messages = toMessages(chunk, leftAlone);
    if (messages.length > 0) await topic.publish(messages);
    published += messages.length;
    lookedAt += chunk.rows.length;
    bytes += messages.reduce((sum, { data }) => sum + data.length, 0);
    const isFull = lookedAt >= lettersMax || bytes >= REPLAYED_BYTES_MAX;
    if (isFull && chunk.next !== undefined) return { published, leftAlone, next: chunk.next };
  }
  return { published, leftAlone };
}

/** What is chosen, piece by piece, each read in a snapshot of its own: none is kept open while messages are published. */
async function* chunksOf(
  database: Database,
  namespace: string,
  selection: DeadLetterSelection,
  lettersMax: number,
): AsyncGenerator<ChosenLetters> {
  if ('letters' in selection) {
    const { letters } = selection;
    for (let at = 0; at < letters.length; at += NAMED_CHUNK_LETTERS)
      yield readNamed(database, namespace, letters.slice(at, at + NAMED_CHUNK_LETTERS));
    return;
  }
  let { after } = selection;
  for (let left = lettersMax; ;) {
    const bounds = { ...MATCHING_CHUNK, letters: Math.min(MATCHING_CHUNK.letters, left) };
    const from = { matching: selection.matching, after };
    const chunk = await inSnapshot(database, (snapshot) => readMatching(snapshot, namespace, from, bounds));
    yield chunk;
    left -= chunk.rows.length;
    after = chunk.next;
    if (after === undefined) return;
  }
}

function toMessages(
  { rows, leftAlone: found }: ChosenLetters,
  leftAlone: LetterLeftAlone[],
): OutgoingMessage[] {
  leftAlone.push(...found);
  const messages: OutgoingMessage[] = [];
  for (const row of rows) {
    const { feed, messageId } = row;
    const message = toMessage(row);
    if (typeof message === 'string') leftAlone.push({ feed, messageId, why: message });
    else messages.push(message);
  }
  return messages;
}

/** The message as it was, with what says whose it is and which letter it replays. */
function toMessage(row: DeadLetterRow): OutgoingMessage | 'cut' | 'too_many_attributes' {
  if (row.bytesHash !== null) return 'cut';
  const ours = replayAttributes(row.namespace, row, row.publishTime);
  const attributes = { ...withoutReserved(row.attributes), ...ours };
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) return 'too_many_attributes';
  return { data: row.bytes, attributes };
}
