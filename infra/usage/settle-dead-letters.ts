import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { RefusedDelivery } from './commit.ts';
import { toDeadLetterId, type DeadLetterName } from './dead-letter-name.ts';
import { deadLetterRow } from './dead-letter-row.ts';
import type { Delivery } from './delivery.ts';
import { deadLetter, type Row } from './tables.ts';

type Letter = Row<typeof deadLetter>;
type Letters = ReadonlyMap<string, Letter>;

/** The stored dead letters that a batch may write, by id: of what it refuses, and of what it replays. Mostly none. */
export async function readLetters(
  tx: Transaction,
  feed: string,
  { refused, replays }: { refused: readonly RefusedDelivery[]; replays: readonly Delivery[] },
): Promise<Letters> {
  const names = new Map<string, DeadLetterName>();
  for (const name of [
    ...refused.map(({ delivery }) => ({ feed, messageId: delivery.message.id })),
    ...replays.flatMap((delivery) => delivery.replays ?? []),
  ])
    names.set(toDeadLetterId(name), name);
  if (names.size === 0) return NONE;
  const keys = [...names.values()].map(({ feed: of, messageId }) => [of, messageId]);
  const rows = await tx.read(deadLetter, keys);
  return new Map(rows.flatMap((row) => (row === undefined ? [] : [[toDeadLetterId(row), row] as const])));
}

const NONE: Letters = new Map();

interface Settling {
  readonly feed: string;
  readonly receivedAt: Instant;
  readonly letters: Letters;
}

/**
 * Writes a dead letter for what is refused, and closes those whose replay is taken: a replay that is refused again leaves its letter open,
 * with the reason of now. One that is closed stays closed, however often its message comes again. Returns the rows written.
 */
export function writeLetters(
  tx: Transaction,
  settling: Settling,
  { refused, replays }: { refused: readonly RefusedDelivery[]; replays: readonly Delivery[] },
): number {
  const changed = new Map<string, Letter>();
  for (const each of refused) {
    const row = refusedRow(settling, each);
    if (row !== undefined) changed.set(toDeadLetterId(row), row);
  }
  const refusedAgain = new Set(refused.map(({ delivery }) => delivery));
  for (const replay of replays) {
    const letter = replayedLetter(settling, replay);
    if (letter === undefined || letter.state === 'replayed' || refusedAgain.has(replay)) continue;
    // After the refusals: of two replays of one letter in a batch, the one that is taken decides.
    changed.set(toDeadLetterId(letter), { ...letter, state: 'replayed', closedAt: commitTimestamp });
  }
  for (const row of changed.values()) tx.upsert(deadLetter, row);
  return changed.size;
}

/** The letter that a delivery replays. A name that leads nowhere, or into another namespace, is none. */
function replayedLetter({ letters }: Settling, { replays, namespace }: Delivery): Letter | undefined {
  const letter = replays && letters.get(toDeadLetterId(replays));
  return letter?.namespace === namespace ? letter : undefined;
}

/** Undefined when there is nothing to write: the message has its letter already, or its replay says nothing new. */
function refusedRow(settling: Settling, each: RefusedDelivery): Letter | undefined {
  const { feed, receivedAt, letters } = settling;
  const { reason, detail } = each.refusal;
  const replayed = replayedLetter(settling, each.delivery);
  if (replayed === undefined) {
    const known = letters.get(toDeadLetterId({ feed, messageId: each.delivery.message.id }));
    return known === undefined ? deadLetterRow({ feed, receivedAt }, each) : undefined;
  }
  const isOld = replayed.reason === reason && replayed.detail === detail;
  return replayed.state !== 'open' || isOld ? undefined : { ...replayed, reason, detail };
}
