import { isLimitable } from '#domain/entitlements/limit.ts';
import type { Copy } from '#domain/metering/batch.ts';
import type { Instant } from '#domain/instant.ts';
import type { Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { add, compare, negate, subtract, type Quantity } from '#domain/metering/quantity.ts';
import { customerAt } from '#infra/customers/ownership.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { withoutWrites } from '#infra/database/without-writes.ts';
import { subject, type Row } from '#infra/usage/tables.ts';
import { readActiveGenerations, generationName } from './active-generations.ts';
import { NOTHING_FORESEEN, type ForeseenLimits } from './foreseen-limits.ts';
import { placeAt, type HardLimit, type LimitPlace } from './hard-limits.ts';
import { closeHold, isHeldRow, placesOfHold, readHoldCounts, readHolds, type Hold } from './hold-rows.ts';
import { addUsed, openLimitRows, roomOf, writeLimitRows, type OpenLimitRow } from './limit-rows.ts';
import { limitsFor, readHardLimits } from './limits-by-customer.ts';

/** What events did to limits. */
export interface LimitChanges {
  /** Rows written. */
  readonly rows: number;
  /** Limit rows in which usage went beyond what was reserved and had room. */
  readonly overdrafts: number;
}

type SubjectRow = Row<typeof subject>;

interface OwnedUsage {
  readonly event: UsageEvent;
  readonly effects: readonly Effect[];
  readonly customer: string;
}

const NO_CHANGES: LimitChanges = { rows: 0, overdrafts: 0 };

export interface CountedUsage {
  readonly copies: () => readonly Copy[];
  readonly replaced?: readonly Copy[];
  readonly now: Instant;
  /** What the transaction has read already. */
  readonly foreseen: ForeseenLimits;
}

/**
 * Counts new events against the hard limits of the customers that own their subjects at the events' times, and takes off the holds that
 * waited for them: the part of the commit that only customers with hard limits pay for. `subjects` are the rows of the events' subjects
 * in any order; `copies` are asked for only when a limit watches one of them.
 */
export async function countAgainstLimits(
  tx: Transaction,
  subjects: readonly (SubjectRow | undefined)[],
  { copies, replaced = [], now, foreseen }: CountedUsage,
): Promise<LimitChanges> {
  const limited = limitedSubjects(subjects);
  if (limited.size === 0) return NO_CHANGES;
  const usage = { added: ownedUsage(copies(), limited), taken: ownedUsage(replaced, limited) };
  return apply(tx, { ...usage, now, foreseen });
}

/**
 * Takes voided events out of the limits that counted them, and puts restored ones back. Where one transaction does both, only what usage
 * has grown by in the end can be overdraft.
 */
export async function correctLimits(
  tx: Transaction,
  { voided = [], restored = [] }: { voided?: readonly Copy[]; restored?: readonly Copy[] },
): Promise<LimitChanges> {
  const names = new Map(
    [...voided, ...restored].map(({ event }) => [subjectName(event), [event.namespace, event.subject]]),
  );
  const limited = limitedSubjects(await tx.read(subject, [...names.values()]));
  if (limited.size === 0) return NO_CHANGES;
  return apply(tx, {
    added: ownedUsage(restored, limited),
    taken: ownedUsage(voided, limited),
    now: NO_CLOCK,
  });
}

/** Which hard limits count events, and with how much each: what taking them back would change. Changes nothing. */
export async function touchedLimits(from: Reads, copies: readonly Copy[]): Promise<LimitTouch[]> {
  const names = new Map(copies.map(({ event }) => [subjectName(event), [event.namespace, event.subject]]));
  const usage = ownedUsage(copies, limitedSubjects(await from.read(subject, [...names.values()])));
  const customers = usage.map(({ event, customer }) => ({ namespace: event.namespace, customer }));
  const limits = await readHardLimits(withoutWrites(from), customers, NOTHING_FORESEEN.limits);
  return usage.flatMap((each, place) => {
    const of = customers[place];
    return of === undefined ? [] : touchesOf(each, limitsFor(limits, of));
  });
}

/** A correction is not the moment to let steps of a rolling limit go, and needs no clock for anything else. */
const NO_CLOCK: Instant = 0;

const subjectName = (of: { readonly namespace: string; readonly subject: string }): string =>
  `${of.namespace}\0${of.subject}`;

/** Mostly none: then it costs a look at the subjects, and the events are not even gone through. */
function limitedSubjects(subjects: readonly (SubjectRow | undefined)[]): ReadonlyMap<string, SubjectRow> {
  const limited = new Map<string, SubjectRow>();
  for (const row of subjects) if (row?.hasLimits) limited.set(subjectName(row), row);
  return limited;
}

function ownedUsage(copies: readonly Copy[], limited: ReadonlyMap<string, SubjectRow>): OwnedUsage[] {
  return copies.flatMap(({ event, effects }) => {
    const customer = customerAt(limited.get(subjectName(event)), event.time);
    return customer === null ? [] : [{ event, effects, customer }];
  });
}

interface Application {
  readonly added: readonly OwnedUsage[];
  readonly taken: readonly OwnedUsage[];
  readonly now: Instant;
  readonly foreseen?: ForeseenLimits;
}

async function apply(
  tx: Transaction,
  { added, taken, now, foreseen = NOTHING_FORESEEN }: Application,
): Promise<LimitChanges> {
  if (added.length + taken.length === 0) return NO_CHANGES;
  const [limits, holds] = await Promise.all([
    readHardLimits(
      tx,
      [...added, ...taken].map(({ event, customer }) => ({ namespace: event.namespace, customer })),
      foreseen.limits,
    ),
    added.length === 0 ? [] : readHeld(tx, added, foreseen.holds),
  ]);
  // A reservation may have been made for another customer than the one that owns the subject in the end.
  const limitsOfHolds = await readHardLimits(tx, holds, limits);
  const touchesBy = (usage: readonly OwnedUsage[]): LimitTouch[] =>
    usage.flatMap((each) =>
      touchesOf(each, limitsFor(limits, { namespace: each.event.namespace, customer: each.customer })),
    );
  const touches = [
    ...touchesBy(added),
    ...touchesBy(taken).map((touch) => ({ ...touch, quantity: negate(touch.quantity) })),
  ];
  const holdPlaces = holds.map((each) =>
    placesOfHold(
      each,
      limitsFor(limitsOfHolds, each).filter(({ of }) => of.feature === each.feature),
    ),
  );
  const places = [...touches.map(({ place }) => place), ...holdPlaces.flat()];
  const [rows, counts, active] = await Promise.all([
    openLimitRows(tx, places, now),
    readHoldCounts(tx, holds),
    readActiveGenerations(
      tx,
      places.map(({ hard }) => hard.of),
    ),
  ]);
  const roomBefore = new Map(
    Array.from(rows.values(), (row) => [row, roomOf(row, generationFor(active, row), now)]),
  );
  holds.forEach((each, index) => {
    closeHold(tx, { of: each, places: holdPlaces[index] ?? [], rows }, 'settled', now);
    counts.add(each, -1);
  });
  for (const { place, generation, at, quantity } of touches) {
    const row = rows.get(place.name);
    if (row !== undefined) addUsed(row, generation, at, quantity);
  }
  let overdrafts = 0;
  if (added.length > 0)
    for (const [row, before] of roomBefore)
      if (recordOverdraft(row, before, roomOf(row, generationFor(active, row), now))) overdrafts++;
  return { rows: writeLimitRows(tx, rows.values(), now) + counts.write(tx) + holds.length, overdrafts };
}

const generationFor = (active: ReadonlyMap<string, number>, { place }: OpenLimitRow): number =>
  active.get(generationName(place.hard.of)) ?? 0;

/** What lies beyond the limit now and did not before. */
function recordOverdraft(row: OpenLimitRow, before: Quantity, after: Quantity): boolean {
  const beyond = (room: Quantity): Quantity => (compare(room, 0) < 0 ? negate(room) : 0);
  const more = subtract(beyond(after), beyond(before));
  if (compare(more, 0) <= 0) return false;
  row.overdraft = add(row.overdraft, more);
  row.overdraftAt = commitTimestamp;
  row.changed = true;
  return true;
}

async function readHeld(
  tx: Transaction,
  usage: readonly OwnedUsage[],
  foreseen: ForeseenLimits['holds'],
): Promise<Hold[]> {
  const identities = usage.map(({ event }) => event.identity);
  const read = await readHolds(
    tx,
    identities.filter((identity) => !foreseen.has(identity)),
  );
  const holds = [...read, ...identities.map((identity) => foreseen.get(identity))];
  return holds.filter((each) => each !== undefined && isHeldRow(each)) as Hold[];
}

/** What one event adds to one limit row. */
export interface LimitTouch {
  readonly place: LimitPlace;
  readonly generation: number;
  readonly at: Instant;
  readonly quantity: Quantity;
}

/** What one event adds to which rows: for each generation that its meter is written in. */
function touchesOf({ event, effects }: OwnedUsage, limits: readonly HardLimit[]): LimitTouch[] {
  return effects.flatMap(({ meter, value }) =>
    limits.flatMap((hard) => {
      // A generation that is only being built may measure something that no limit can count.
      if (hard.of.meter !== meter.key || !isLimitable(meter.aggregation)) return [];
      const place = placeAt(hard, event.time);
      const quantity = meter.aggregation === 'count' ? 1 : value;
      return place ? [{ place, generation: meter.generation, at: event.time, quantity }] : [];
    }),
  );
}
