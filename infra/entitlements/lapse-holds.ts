import type { Instant } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { event } from '#infra/usage/tables.ts';
import type { Freshness } from '#infra/usage/watermark.ts';
import { hardLimitsOf } from './hard-limits.ts';
import { closeHold, featureName, isHeldRow, placesOfHold, readHoldCounts, readHolds } from './hold-rows.ts';
import { openLimitRows, writeLimitRows } from './limit-rows.ts';
import { customerLimits, hold } from './tables.ts';

/** Holds of one call, so that it is short even after a long pause; the next call goes on. */
export const LAPSES_PER_CALL_MAX = 5_000;
/** Holds of one transaction: others wait for it. */
const LAPSES_PER_TRANSACTION = 200;

export interface LapsedHolds {
  /** Their event never came. */
  readonly lapsed: number;
  /** Their event had come without touching them, since no limit watched its subject then. */
  readonly settled: number;
}

/**
 * Ends the holds whose event cannot come any more: usage is complete through the end of their time to live, so an event that happened
 * within it is committed. Safe to repeat, beside commits and in several processes at once; bounded in a call.
 */
export async function lapseHolds(
  database: Database,
  namespace: string,
  { now, freshness }: { readonly now: Instant; readonly freshness: Freshness | undefined },
): Promise<LapsedHolds> {
  const total = { lapsed: 0, settled: 0 };
  if (freshness === undefined) return total;
  const through = freshness.completeThrough;
  const due = await dueHolds(database, namespace, through);
  for (let at = 0; at < due.length; at += LAPSES_PER_TRANSACTION) {
    const some = due.slice(at, at + LAPSES_PER_TRANSACTION);
    const { result } = await database.transact((tx) => lapse(tx, some, { now, through }));
    total.lapsed += result.lapsed;
    total.settled += result.settled;
  }
  return total;
}

async function dueHolds(database: Database, namespace: string, through: Instant): Promise<Hash128[]> {
  const due: Hash128[] = [];
  for (const state of ['open', 'pending']) {
    const range = { prefix: [namespace, state], to: through };
    const options = { index: 'byState', limit: LAPSES_PER_CALL_MAX - due.length };
    for await (const { identity } of database.scan(hold, range, options)) due.push(identity);
  }
  return due;
}

async function lapse(
  tx: Transaction,
  identities: readonly Hash128[],
  { now, through }: { now: Instant; through: Instant },
): Promise<LapsedHolds> {
  const [found, events] = await Promise.all([
    readHolds(tx, identities),
    tx.read(
      event,
      identities.map((identity) => [identity]),
    ),
  ]);
  // Since they were looked for some may have been settled, released or extended.
  const holds = found.flatMap((of, index) =>
    of && isHeldRow(of) && of.expiresAt < through ? [{ of, counted: events[index] !== undefined }] : [],
  );
  const features = [...new Map(holds.map(({ of }) => [featureName(of), of])).values()];
  const [limits, counts] = await Promise.all([
    tx.read(
      customerLimits,
      features.map(({ namespace, customer, feature }) => [namespace, customer, feature]),
    ),
    readHoldCounts(tx, features),
  ]);
  const hard = new Map(features.map((of, index) => [featureName(of), hardLimitsOf(limits[index])]));
  const placed = holds.map((each) => ({
    ...each,
    places: placesOfHold(each.of, hard.get(featureName(each.of)) ?? []),
  }));
  const rows = await openLimitRows(
    tx,
    placed.flatMap(({ places }) => places),
    now,
  );
  for (const { of, counted, places } of placed) {
    closeHold(tx, { of, places, rows }, counted ? 'settled' : 'lapsed', now);
    counts.add(of, -1);
  }
  writeLimitRows(tx, rows.values(), now);
  counts.write(tx);
  const settled = placed.filter(({ counted }) => counted).length;
  return { settled, lapsed: placed.length - settled };
}
