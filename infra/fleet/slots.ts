import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { fleetWorker, type FleetWorkerRow } from './tables.ts';

/** Slots of the hour cells. Readers add them up, so each is read more for every write that is not waited for. */
export const SLOTS = 16;
/** The slot of a worker that has not been heard of for so long is free. */
export const SLOT_LEASE_MICROS = 30_000_000;

/** The slot that the fewest of those use, the first of several. */
export function leastUsedSlot(used: readonly number[], slots = SLOTS): number {
  const users = Array.from({ length: slots }, () => 0);
  for (const slot of used) if (users[slot] !== undefined) users[slot]++;
  return users.indexOf(Math.min(...users));
}

/**
 * Enters a worker among those of the fleet, with a slot that few of the living have. Two workers that share one are only slower: both read
 * before they write, in transactions that are serialised. Repeated for the same worker it keeps its slot.
 */
export async function enterFleet(
  database: Database,
  worker: string,
  { release, now }: { readonly release: string; readonly now: Instant },
): Promise<FleetWorkerRow> {
  const { result } = await database.transact(async (tx) => {
    const others = await Array.fromAsync(tx.scan(fleetWorker, { prefix: [] }));
    const own = others.find((other) => other.worker === worker);
    const living = others.filter(({ heartbeatAt }) => now - heartbeatAt < SLOT_LEASE_MICROS);
    const slot = own?.slot ?? leastUsedSlot(living.map((other) => other.slot));
    const row = { worker, slot, release, startedAt: own?.startedAt ?? now, heartbeatAt: now };
    tx.upsert(fleetWorker, row);
    return row;
  });
  return result;
}

/** Those that live, in order of their names. */
export const livingWorkers = async (
  database: Pick<Database, 'scan'>,
  now: Instant,
): Promise<readonly FleetWorkerRow[]> =>
  (await Array.fromAsync(database.scan(fleetWorker, { prefix: [] }))).filter(
    ({ heartbeatAt }) => now - heartbeatAt < SLOT_LEASE_MICROS,
  );
