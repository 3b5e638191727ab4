import { isLimitable } from '#domain/entitlements/limit.ts';
import type { Copy } from '#domain/metering/batch.ts';
import type { Instant } from '#domain/instant.ts';
import type { Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { add, compare, negate, subtract, type Quantity } from '#domain/metering/quantity.ts';
import { customerAt } from '#infra/customers/ownership.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { subject, type Row } from '#infra/usage/tables.ts';
import { readActiveGenerations, generationName } from './active-generations.ts';
import { hardLimitsOf, placeAt, readLimitsOf, type HardLimit, type LimitPlace } from './hard-limits.ts';
import { closeHold, isHeldRow, placesOfHold, readHoldCounts, readHolds, type Hold } from './hold-rows.ts';
import { addUsed, openLimitRows, roomOf, writeLimitRows, type OpenLimitRow } from './limit-rows.ts';

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

/**
 * Counts new events against the hard limits of the customers that own their subjects at the events' times, and takes off the holds that
 * waited for them: the part of the commit that only customers with hard limits pay for. `subjects` are the rows of the events' subjects
 * in any order; `copies` are asked for only when a limit watches one of them.
 */
export async function countAgainstLimits(
  tx: Transaction,
  subjects: readonly (SubjectRow | undefined)[],
  { copies, now }: { copies: () => readonly Copy[]; now: Instant },
): Promise<LimitChanges> {
  const limited = limitedSubjects(subjects);
  if (limited.size === 0) return NO_CHANGES;
  const usage = ownedUsage(copies(), limited);
  return usage.length === 0 ? NO_CHANGES : apply(tx, { usage, now, voided: false });
}

/** Takes a voided event out of the limits that counted it, or puts a restored one back. */
export async function correctLimits(
  tx: Transaction,
  copy: Copy,
  correction: 'void' | 'restore',
): Promise<LimitChanges> {
  const { namespace, subject: name } = copy.event;
  const usage = ownedUsage([copy], limitedSubjects(await tx.read(subject, [[namespace, name]])));
  return usage.length === 0 ? NO_CHANGES : apply(tx, { usage, now: NO_CLOCK, voided: correction === 'void' });
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
  readonly usage: readonly OwnedUsage[];
  readonly now: Instant;
  readonly voided: boolean;
}

async function apply(tx: Transaction, { usage, now, voided }: Application): Promise<LimitChanges> {
  const [limits, holds] = await Promise.all([
    readHardLimits(
      tx,
      usage.map(({ event, customer }) => ({ namespace: event.namespace, customer })),
    ),
    voided ? [] : readHeld(tx, usage),
  ]);
  // A reservation may have been made for another customer than the one that owns the subject in the end.
  const limitsOfHolds = await readHardLimits(tx, holds, limits);
  const touches = usage.flatMap((each) =>
    touchesOf(each, limitsFor(limits, each.event.namespace, each.customer)),
  );
  const holdPlaces = holds.map((each) =>
    placesOfHold(
      each,
      limitsFor(limitsOfHolds, each.namespace, each.customer).filter(({ of }) => of.feature === each.feature),
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
    if (row !== undefined) addUsed(row, generation, at, voided ? negate(quantity) : quantity);
  }
  let overdrafts = 0;
  if (!voided)
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

type LimitsByCustomer = ReadonlyMap<string, readonly HardLimit[]>;

const customerName = (namespace: string, customer: string): string => `${namespace}\0${customer}`;

const limitsFor = (limits: LimitsByCustomer, namespace: string, customer: string): readonly HardLimit[] =>
  limits.get(customerName(namespace, customer)) ?? [];

/** The hard limits of these customers, beside those that are known already. */
async function readHardLimits(
  tx: Transaction,
  customers: readonly { readonly namespace: string; readonly customer: string }[],
  known: LimitsByCustomer = new Map(),
): Promise<LimitsByCustomer> {
  const missing = new Map(
    customers
      .map((each) => [customerName(each.namespace, each.customer), each] as const)
      .filter(([name]) => !known.has(name)),
  );
  if (missing.size === 0) return known;
  const read = await Promise.all(
    Array.from(missing, async ([name, { namespace, customer }]) => {
      const rows = await readLimitsOf(tx, namespace, customer);
      return [name, rows.flatMap(hardLimitsOf)] as const;
    }),
  );
  return new Map([...known, ...read]);
}

async function readHeld(tx: Transaction, usage: readonly OwnedUsage[]): Promise<Hold[]> {
  const holds = await readHolds(
    tx,
    usage.map(({ event }) => event.identity),
  );
  return holds.filter((each) => each !== undefined && isHeldRow(each)) as Hold[];
}

interface Touch {
  readonly place: LimitPlace;
  readonly generation: number;
  readonly at: Instant;
  readonly quantity: Quantity;
}

/** What one event adds to which rows: for each generation that its meter is written in. */
function touchesOf({ event, effects }: OwnedUsage, limits: readonly HardLimit[]): Touch[] {
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
