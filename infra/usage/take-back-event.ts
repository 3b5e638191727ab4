import { dayOf, hourOf, minuteOfHour } from '#domain/instant.ts';
import type { Aggregation, Contribution } from '#domain/metering/accumulator.ts';
import { GROUP_VIEW, TOTAL_VIEW, type CellChange, type Copy } from '#domain/metering/batch.ts';
import {
  addReferences,
  emptyDistinctValue,
  mergeDistinctValue,
  packMinutes,
  unpackMinutes,
} from '#domain/metering/distinct-value.ts';
import type { Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import { packHourCell, unpackHourCell, type HourCell } from '#domain/metering/hour-cell.ts';
import { moveMinute, opposite, takeBackFromHour } from '#domain/metering/take-back.ts';
import type { CatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { readClosedSeries, writeClosedSeries } from './closed-days.ts';
import { rollSeries } from './roll-series.ts';
import { distinctValue, usageHour, type Row } from './tables.ts';

/** These have an inverse, so what a closed day loses can be added to it with the opposite sign. The others are rolled anew. */
const ADDITIVE: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'average', 'unique', 'timeWeightedSum']);

interface TakeBack {
  readonly slot: number;
  readonly catalogue: CatalogueRow;
}

/** Takes the effects of one event out of every cell that has them. */
export async function takeBackEvent(
  tx: Transaction,
  { event, effects }: Copy,
  options: TakeBack,
): Promise<void> {
  for (const effect of effects) {
    await takeBackFromView(tx, event, effect, { view: TOTAL_VIEW, group: '', ...options });
    if (effect.group !== '')
      await takeBackFromView(tx, event, effect, { view: GROUP_VIEW, group: effect.group, ...options });
    if (effect.distinct !== '') await takeBackDistinct(tx, event, effect);
  }
}

interface View extends TakeBack {
  readonly view: number;
  readonly group: string;
}

const contributionOf = (event: UsageEvent, { value }: Effect): Contribution => ({
  time: event.time,
  identity: event.identity,
  digest: fingerprintOf(event.digest),
  value,
});

async function takeBackFromView(
  tx: Transaction,
  event: UsageEvent,
  effect: Effect,
  view: View,
): Promise<void> {
  const rows = await hourRowsWithout(tx, event, effect, view);
  for (const row of rows) tx.upsert(usageHour, row);
  const day = dayOf(event.time);
  const { closedThrough, rolledThrough } = view.catalogue;
  if (day > closedThrough) return;
  const { aggregation, key, generation } = effect.meter;
  // A day that is closed and not rolled yet may have no row to take it from, or one that holds late events only.
  if (ADDITIVE.has(aggregation) && day <= rolledThrough) {
    writeClosedSeries(tx, await readClosedSeries(tx, [oppositeChange(event, effect, view)]));
  } else {
    const series = [event.namespace, event.subject, key, generation, view.view] as const;
    await rollSeries(tx, series, { day, aggregation, replaced: rows });
  }
}

/**
 * The rows that are different once they have lost the event. Which slot counted it is not known, and what a slot does not hold cannot be
 * taken from it: so what all slots have in the event's minute is gathered in one of them, and taken back there.
 */
async function hourRowsWithout(
  tx: Transaction,
  event: UsageEvent,
  effect: Effect,
  { view, group }: View,
): Promise<Row<typeof usageHour>[]> {
  const { key, generation, aggregation } = effect.meter;
  const minute = minuteOfHour(event.time);
  const prefix: Key = [event.namespace, event.subject, key, generation, view, hourOf(event.time), group];
  const [first, ...others] = await cellsWithMinute(tx, prefix, { aggregation, minute });
  if (first === undefined) {
    throw new Error(
      `no cell of meter ${effect.meter.label} holds the event that is taken back: run a reconciliation`,
    );
  }
  const emptied = others.map(({ row, cell }) => ({
    ...row,
    ...packHourCell(aggregation, moveMinute(cell, first.cell, aggregation, minute)),
  }));
  const left = takeBackFromHour(first.cell, aggregation, minute, contributionOf(event, effect)) ?? first.cell;
  return [{ ...first.row, ...packHourCell(aggregation, left) }, ...emptied];
}

/** One hour's cells that have events in the minute, slot by slot. */
async function cellsWithMinute(
  tx: Transaction,
  prefix: Key,
  { aggregation, minute }: { aggregation: Aggregation; minute: number },
): Promise<{ row: Row<typeof usageHour>; cell: HourCell }[]> {
  const found: { row: Row<typeof usageHour>; cell: HourCell }[] = [];
  for await (const row of tx.scan(usageHour, { prefix })) {
    const cell = unpackHourCell(aggregation, row);
    if (cell.minutes.has(minute)) found.push({ row, cell });
  }
  return found;
}

function oppositeChange(event: UsageEvent, effect: Effect, { view, group }: View): CellChange {
  const { namespace, subject } = event;
  const hour = hourOf(event.time);
  const accumulator = opposite(effect.meter.aggregation, contributionOf(event, effect));
  return {
    namespace,
    subject,
    meter: effect.meter,
    view,
    hour,
    group,
    minutes: [{ minute: minuteOfHour(event.time), accumulator }],
  };
}

async function takeBackDistinct(
  tx: Transaction,
  event: UsageEvent,
  { meter, group, distinct }: Effect,
): Promise<void> {
  const day = dayOf(event.time);
  const key: Key = [event.namespace, event.subject, meter.key, meter.generation, day, group, distinct];
  const [row] = await tx.read(distinctValue, [key]);
  if (row === undefined)
    throw new Error(`meter ${meter.label} does not know the value that is taken back: run a reconciliation`);
  const value = unpackMinutes(row.minutes);
  const change = emptyDistinctValue();
  addReferences(change, (hourOf(event.time) % 24) * 60 + minuteOfHour(event.time), -1);
  mergeDistinctValue(value, change);
  if (value.references === 0) tx.delete(distinctValue, key);
  else tx.upsert(distinctValue, { ...row, references: value.references, minutes: packMinutes(value) });
}
