import { dayOf, hourOf, hourStart, minuteOfHour, type DayIndex } from '#domain/instant.ts';
import { emptyAccumulator, type Aggregation, type Contribution } from '#domain/metering/accumulator.ts';
import { GROUP_VIEW, TOTAL_VIEW, type CellChange, type Copy } from '#domain/metering/batch.ts';
import { packDayCell, unpackDayCell } from '#domain/metering/day-cell.ts';
import type { Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import { packHourCell, unpackHourCell, type HourCell } from '#domain/metering/hour-cell.ts';
import {
  moveMinute,
  opposite,
  takeManyBackFromDay,
  takeManyBackFromHour,
} from '#domain/metering/take-back.ts';
import type { CatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp, type Key } from '#infra/database/table.ts';
import { readClosedSeries, writeClosedSeries } from './closed-days.ts';
import { rollSeries, type Series } from './roll-series.ts';
import { ownerOf, type CellOwner } from './replace-cells.ts';
import { takeBackDistincts, type TakeBackPlaces } from './take-back-distincts.ts';
import { dirtyDay, usageDay, usageHour, type Row } from './tables.ts';

/** These have an inverse, so what a closed day loses can be added to it with the opposite sign. The others are rolled anew. */
const ADDITIVE: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'average', 'unique', 'timeWeightedSum']);

export interface TakeBack extends TakeBackPlaces {
  readonly catalogue: CatalogueRow;
}

/** An hour of one view of one meter and subject, with the events of it that are taken back, by their minutes. */
interface Target {
  readonly of: CellChange;
  readonly minutes: Map<number, Contribution[]>;
}

/**
 * Takes the effects of events of one namespace out of every cell that has them. What of several events lies in one cell is taken out of it
 * together, so that a minute that loses all its events is exact whatever they measured.
 */
export async function takeBackEvents(
  tx: Transaction,
  copies: readonly Copy[],
  options: TakeBack,
): Promise<void> {
  const targets = targetsOf(copies);
  const kept = targets.filter(({ of }) => of.hour >= options.hoursFrom);
  // Everything is read before anything is written, side by side.
  const [hours] = await Promise.all([
    Promise.all(
      kept.map(async (target) => ({ target, rows: await hourRowsWithout(tx, target, options.owner) })),
    ),
    takeBackDistincts(tx, copies, options),
  ]);
  for (const { rows } of hours)
    for (const row of rows) {
      tx.upsert(usageHour, row);
      if (row.dirty) noteDirty(tx, row);
    }
  await takeBackFromDays(
    tx,
    { hours, gone: targets.filter(({ of }) => of.hour < options.hoursFrom) },
    options,
  );
}

/** Whoever computes dirty cells again finds them by this. */
function noteDirty(
  tx: Transaction,
  { namespace, subject, meter, generation, hour }: Row<typeof usageHour>,
): void {
  const day = dayOf(hourStart(hour));
  tx.upsert(dirtyDay, { namespace, subject, meter, generation, day, since: commitTimestamp });
}

function targetsOf(copies: readonly Copy[]): Target[] {
  const targets = new Map<string, Target>();
  for (const { event, effects } of copies)
    for (const effect of effects) {
      addTo(targets, event, effect, { view: TOTAL_VIEW, group: '' });
      if (effect.group !== '') addTo(targets, event, effect, { view: GROUP_VIEW, group: effect.group });
    }
  return [...targets.values()];
}

function addTo(
  targets: Map<string, Target>,
  event: UsageEvent,
  { meter, value }: Effect,
  { view, group }: Pick<CellChange, 'view' | 'group'>,
): void {
  const { namespace, subject, time, identity, digest } = event;
  const hour = hourOf(time);
  const name = JSON.stringify([subject, meter.label, view, hour, group]);
  const target = targets.get(name) ?? {
    of: { namespace, subject, meter, view, hour, group, minutes: [] },
    minutes: new Map<number, Contribution[]>(),
  };
  targets.set(name, target);
  const minute = minuteOfHour(time);
  const contribution = { time, identity, digest: fingerprintOf(digest), value };
  const known = target.minutes.get(minute);
  if (known === undefined) target.minutes.set(minute, [contribution]);
  else known.push(contribution);
}

const seriesOf = ({ namespace, subject, meter, view }: CellChange): Series => [
  namespace,
  subject,
  meter.key,
  meter.generation,
  view,
];

interface SlotCell {
  readonly row: Row<typeof usageHour>;
  cell: HourCell;
  changed: boolean;
}

/**
 * The rows that are different once they have lost the events. Which slot counted one is not known, and what a slot does not hold cannot be
 * taken from it: so what all slots of the stream have in an event's minute is gathered in one of them, and taken back there.
 */
async function hourRowsWithout(
  tx: Transaction,
  { of, minutes }: Target,
  owner: CellOwner = 'stream',
): Promise<readonly Row<typeof usageHour>[]> {
  const { aggregation } = of.meter;
  const prefix: Key = [...seriesOf(of), of.hour, of.group];
  const rows = await Array.fromAsync(tx.scan(usageHour, { prefix }));
  const slots = rows
    .filter((row) => ownerOf(row) === owner)
    .map((row): SlotCell => ({ row, cell: unpackHourCell(aggregation, row), changed: false }));
  for (const [minute, events] of minutes) {
    const [first, ...others] = slots.filter(({ cell }) => cell.minutes.has(minute));
    if (first === undefined) throw noCell(of);
    for (const other of others) {
      other.cell = moveMinute(other.cell, first.cell, aggregation, minute);
      other.changed = true;
    }
    first.cell = takeManyBackFromHour(first.cell, aggregation, minute, events) ?? first.cell;
    first.changed = true;
  }
  return slots
    .filter(({ changed }) => changed)
    .map(({ row, cell }) => ({ ...row, ...packHourCell(aggregation, cell) }));
}

const noCell = ({ meter }: CellChange): Error =>
  new Error(`no cell of meter ${meter.label} holds the event that is taken back: run a reconciliation`);

interface ByAge {
  /** Those that have hours, with the rows that replace theirs. */
  readonly hours: readonly { readonly target: Target; readonly rows: readonly Row<typeof usageHour>[] }[];
  /** Those whose hours are gone. */
  readonly gone: readonly Target[];
}

/** The same for days that are closed: their rows are not rolled again. */
async function takeBackFromDays(
  tx: Transaction,
  { hours, gone }: ByAge,
  { catalogue }: TakeBack,
): Promise<void> {
  const { closedThrough, rolledThrough } = catalogue;
  const closed = hours.filter(({ target: { of } }) => dayOfCell(of) <= closedThrough);
  // A day that is closed and not rolled yet may have no row to take it from, or one that holds late events only.
  const isAdded = ({ of }: Target): boolean =>
    ADDITIVE.has(of.meter.aggregation) && dayOfCell(of) <= rolledThrough;
  const added = [...closed.map(({ target }) => target).filter(isAdded), ...gone.filter(isAdditive)];
  writeClosedSeries(tx, await readClosedSeries(tx, added.map(oppositeChange)));
  await rollAnew(
    tx,
    closed.filter(({ target }) => !isAdded(target)),
  );
  for (const [, targets] of Map.groupBy(
    gone.filter((target) => !isAdditive(target)),
    ({ of }) => JSON.stringify([...seriesOf(of), dayOfCell(of), of.group]),
  ))
    await takeBackFromDay(tx, targets);
}

const dayOfCell = ({ hour }: CellChange): DayIndex => dayOf(hourStart(hour));
const isAdditive = ({ of }: Target): boolean => ADDITIVE.has(of.meter.aggregation);

async function rollAnew(tx: Transaction, closed: ByAge['hours']): Promise<void> {
  const days = Map.groupBy(closed, ({ target: { of } }) => JSON.stringify([...seriesOf(of), dayOfCell(of)]));
  for (const [, same] of days) {
    const [{ target } = { target: undefined }] = same;
    if (target === undefined) continue;
    await rollSeries(tx, seriesOf(target.of), {
      day: dayOfCell(target.of),
      aggregation: target.of.meter.aggregation,
      replaced: same.flatMap(({ rows }) => rows),
    });
  }
}

/** What the events were, as a change with the opposite sign. */
function oppositeChange({ of, minutes }: Target): CellChange {
  return {
    ...of,
    minutes: Array.from(minutes, ([minute, events]) =>
      events.map((event) => ({ minute, accumulator: opposite(of.meter.aggregation, event) })),
    ).flat(),
  };
}

/** A day whose hours are gone loses events of an aggregation without an inverse: what cannot be told marks it dirty. */
async function takeBackFromDay(tx: Transaction, targets: readonly Target[]): Promise<void> {
  const [first] = targets;
  if (first === undefined) return;
  const { of } = first;
  const { aggregation } = of.meter;
  const [row] = await tx.read(usageDay, [[...seriesOf(of), dayOfCell(of), of.group]]);
  const cell =
    row === undefined
      ? { totals: emptyAccumulator(), carry: 0, dirty: false }
      : unpackDayCell(aggregation, row);
  const events = targets.flatMap(({ minutes }) => [...minutes.values()].flat());
  if (row === undefined || !takeManyBackFromDay(cell, aggregation, events)) throw noCell(of);
  tx.upsert(usageDay, { ...row, ...packDayCell(aggregation, cell) });
}
