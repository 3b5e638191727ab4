import { dayOf, dayStart, type DayIndex, type Instant } from '#domain/instant.ts';
import { meterBackfill } from '#infra/catalogue/tables.ts';
import type { Database, Reads, Transaction } from '#infra/database/database.ts';
import { CORRECTED_STATES, correctedEvent, type Row } from '#infra/usage/tables.ts';
import { shardOf } from '#infra/warehouse/questions/event-scope.ts';
import { readBackfill, type Backfill, type BackfillName } from './backfill.ts';
import { backfillPart } from './tables.ts';

/** Events of one part at most, about: what they are counted into is held in memory until its day is over. */
const EVENTS_PER_PART = 250_000;
const SHARDS_MAX = 10;

/** Into how many shards a day is cut that has so many events. */
export const shardsFor = (events: number): number =>
  Math.min(Math.max(Math.ceil(events / EVENTS_PER_PART), 1), SHARDS_MAX);

/** A worker that shows no sign of life for so long has lost its part. */
export const PART_LEASE_MICROS = 15_000_000;

export type BackfillPart = Row<typeof backfillPart>;

/** A day's subjects are dealt out by their names: whoever asks gets the same answer. */
export { shardOf };

export const nameOf = ({ namespace, meter, version }: Backfill): BackfillName => ({
  namespace,
  meter,
  version,
});

/** Corrections of the range that are looked at one by one; with more of them no day counts as empty. */
const CORRECTED_LOOKED_AT_MAX = 1_000;

/**
 * Lays out the parts, once: the busiest day says how finely days are cut. Planning again changes nothing. A day without events is done before it
 * began, unless an event of it was ever corrected: a restore that is committed between the look at the warehouse and this transaction is seen here,
 * and one that comes later finds the part done and counts by itself.
 */
export async function planParts(
  database: Database,
  name: BackfillName,
  eventsByDay: ReadonlyMap<DayIndex, number>,
): Promise<void> {
  const busiest = [...eventsByDay.values()].reduce((most, events) => Math.max(most, events), 0);
  const shards = shardsFor(busiest);
  await database.transact(async (tx) => {
    const backfill = await readBackfill(tx, name);
    if (backfill?.state !== 'waiting') return;
    const { namespace, meter, version, firstDay, endDay } = backfill;
    const corrected = await correctedDays(tx, backfill);
    const isEmpty = (day: DayIndex): boolean => !eventsByDay.has(day) && corrected?.has(day) === false;
    const days = Array.from({ length: endDay - firstDay }, (_, index) => firstDay + index);
    tx.upsert(meterBackfill, {
      ...backfill,
      state: 'counting',
      waitsFor: null,
      shards,
      parts: days.length * shards,
      partsDone: days.filter(isEmpty).length * shards,
    });
    const none = { worker: null, leaseUntil: null, events: 0, unmeasured: 0 };
    for (const day of days) {
      const state = isEmpty(day) ? 'done' : 'open';
      for (let shard = 0; shard < shards; shard++)
        tx.insert(backfillPart, { namespace, meter, version, day, shard, state, ...none });
    }
  });
}

/** Days of which an event was ever corrected; undefined where there are too many to tell. */
async function correctedDays(
  tx: Transaction,
  { namespace, firstDay, endDay }: Backfill,
): Promise<ReadonlySet<DayIndex> | undefined> {
  const days = new Set<DayIndex>();
  let seen = 0;
  for (const state of CORRECTED_STATES) {
    const range = { prefix: [namespace, state], from: dayStart(firstDay), to: dayStart(endDay) };
    const options = { index: 'byTime', limit: CORRECTED_LOOKED_AT_MAX + 1 };
    for await (const { time } of tx.scan(correctedEvent, range, options)) {
      if (++seen > CORRECTED_LOOKED_AT_MAX) return undefined;
      days.add(dayOf(time));
    }
  }
  return days;
}

const prefixOf = ({ namespace, meter, version }: BackfillName) => [namespace, meter, version];

export interface ClaimPart {
  readonly worker: string;
  readonly now: Instant;
}

/** Takes the earliest part that nobody works on; undefined where there is none, or only such that others have. */
export const claimPart = async (
  database: Database,
  name: BackfillName,
  claim: ClaimPart,
): Promise<BackfillPart | undefined> => (await claimParts(database, name, { ...claim, limit: 1 }))[0];

/** Takes the earliest parts that nobody works on, so many at most. */
export async function claimParts(
  database: Database,
  name: BackfillName,
  { worker, now, limit }: ClaimPart & { readonly limit: number },
): Promise<BackfillPart[]> {
  const { result } = await database.transact(async (tx) => {
    const claimed: BackfillPart[] = [];
    for await (const part of tx.scan(backfillPart, { prefix: prefixOf(name) })) {
      if (claimed.length === limit) break;
      if (part.state === 'done' || (part.leaseUntil ?? 0) > now) continue;
      claimed.push({ ...part, worker, leaseUntil: now + PART_LEASE_MICROS });
    }
    for (const part of claimed) tx.upsert(backfillPart, part);
    return claimed;
  });
  return result;
}

/** The parts that a worker has claimed and that are not done. */
export const heldParts = async (from: Reads, name: BackfillName, worker: string): Promise<BackfillPart[]> => {
  const parts = await Array.fromAsync(from.scan(backfillPart, { prefix: prefixOf(name) }));
  return parts.filter((part) => part.state === 'open' && part.worker === worker);
};

export const keyOfPart = ({ namespace, meter, version, day, shard }: BackfillPart) => [
  namespace,
  meter,
  version,
  day,
  shard,
];

/** Another worker has taken the part over, or has done it: whatever this one still writes would be of the past. */
export class PartLost extends Error {
  constructor({ meter, version, day, shard }: BackfillPart) {
    super(`shard ${shard} of day ${day} of ${meter}@${version} is another worker's now`);
    this.name = 'PartLost';
  }
}

/** Throws `PartLost`. In the transaction of every write, so that one that comes late changes nothing. */
export async function checkHeld(from: Reads, part: BackfillPart): Promise<BackfillPart> {
  const [row] = await from.read(backfillPart, [keyOfPart(part)]);
  if (row?.state !== 'open' || row.worker !== part.worker) throw new PartLost(part);
  return row;
}

/** Keeps those of the parts that are still this worker's. */
export async function extendParts(
  database: Database,
  parts: readonly BackfillPart[],
  now: Instant,
): Promise<void> {
  await database.transact(async (tx) => {
    const rows = await tx.read(backfillPart, parts.map(keyOfPart));
    for (const [place, row] of rows.entries())
      if (row?.state === 'open' && row.worker === parts[place]?.worker)
        tx.upsert(backfillPart, { ...row, leaseUntil: now + PART_LEASE_MICROS });
  });
}

/** Whether what a backfill counts of a day's subject stands in its cells already. */
export async function isPartDone(
  from: Reads,
  backfill: Pick<Backfill, 'namespace' | 'meter' | 'version' | 'shards'>,
  { day, subject }: { readonly day: DayIndex; readonly subject: string },
): Promise<boolean> {
  const { namespace, meter, version, shards } = backfill;
  if (shards === 0) return false;
  const [part] = await from.read(backfillPart, [[namespace, meter, version, day, shardOf(subject, shards)]]);
  return part?.state === 'done';
}

/** Ends a part in the transaction that finds nothing left to do in it. */
export async function endPart(
  tx: Transaction,
  part: BackfillPart,
  { events, unmeasured }: Pick<BackfillPart, 'events' | 'unmeasured'>,
): Promise<void> {
  const [held, backfill] = await Promise.all([checkHeld(tx, part), readBackfill(tx, part)]);
  if (backfill === undefined) throw new PartLost(part);
  tx.upsert(backfillPart, { ...held, state: 'done', worker: null, leaseUntil: null, events, unmeasured });
  tx.upsert(meterBackfill, {
    ...backfill,
    partsDone: backfill.partsDone + 1,
    events: backfill.events + events,
    unmeasured: backfill.unmeasured + unmeasured,
  });
}
