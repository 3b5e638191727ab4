import type { UsageEvent } from '#domain/metering/event.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { isHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Message } from '#infra/topic/topic.ts';
import { conflict, deadLetter, event } from '#infra/usage/tables.ts';
import { toDelivery } from './usage-world.ts';
import type { UsageWorld } from './usage-world.ts';

/**
 * A message may be acknowledged when it cannot be lost any more: its event is committed and in the warehouse, or it is on record as a
 * conflict in both, or as a dead letter. Throws otherwise; looks at the stores as they stand, without a fault or a turn of the schedule.
 */
export function assertAccounted(world: UsageWorld, messages: readonly Message[]): void {
  const fresh = messages.filter(({ id }) => !world.accounted.has(id));
  if (fresh.length === 0) return;
  const seen = lookAt(world);
  for (const message of fresh) {
    world.accounted.add(message.id);
    const delivery = toDelivery(message);
    const letter = seen.letters.get(message.id) ?? seen.letters.get(delivery.replays?.messageId ?? '');
    // A replay may be refused again, and then its letter is the one it replays.
    if (isHeartbeat(message) || (letter !== undefined && letter !== 'replayed')) continue;
    if (delivery.event === undefined) {
      // A message that did not say whose it is counts through its replay only.
      if (letter === 'replayed') continue;
      throw new Error(
        `${message.id}, which is ${delivery.refusal.reason}, is acknowledged without a dead letter`,
      );
    }
    assertOnRecord(seen, message.id, delivery.event);
  }
}

/** What the stores hold at this moment. */
const lookAt = ({ database, warehouse }: UsageWorld) => ({
  letters: new Map(database.rows(deadLetter).map(({ messageId, state }) => [messageId, state])),
  digests: new Map(database.rows(event).map((row) => [row.identity, row.digest])),
  conflicts: new Set(database.rows(conflict).map((row) => row.identity + row.digest)),
  appended: new Set(
    warehouse.rows('events').map((row) => [row['outcome'], row['identity'], row['digest']].join()),
  ),
});

function assertOnRecord(
  seen: ReturnType<typeof lookAt>,
  message: string,
  { identity, digest }: UsageEvent,
): void {
  const stored = seen.digests.get(identity);
  if (stored === undefined) throw new Error(`${message} is acknowledged and not committed`);
  const counted = stored === digest;
  if (!counted && !seen.conflicts.has(identity + digest))
    throw new Error(`${message} is acknowledged and its conflict is not on record`);
  const outcomes = counted ? ['accepted', 'void'] : ['conflict'];
  const appended = outcomes.some((outcome) =>
    seen.appended.has([outcome, toHex(identity), toHex(digest)].join()),
  );
  if (!appended) throw new Error(`${message} is acknowledged and not in the warehouse`);
}
