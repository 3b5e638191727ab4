import {
  dayOf,
  HOURS_PER_DAY,
  hourOf,
  minuteOfHour,
  MINUTES_PER_HOUR,
  type HourIndex,
} from '#domain/instant.ts';
import type { Copy } from '#domain/metering/batch.ts';
import {
  addReferences,
  emptyDistinctValue,
  mergeDistinctValue,
  packMinutes,
  unpackMinutes,
  type DistinctValue,
} from '#domain/metering/distinct-value.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import type { CellOwner } from './replace-cells.ts';
import { backfilledValue, distinctValue } from './tables.ts';

/** Where the effects of events are taken out of. */
export interface TakeBackPlaces {
  /** What is of earlier hours is only in day rows any more. */
  readonly hoursFrom: HourIndex;
  /** Who counted them: the stream, where nothing is said. */
  readonly owner?: CellOwner;
}

interface Lost {
  readonly key: Key;
  readonly meter: string;
  readonly change: DistinctValue;
}

/** Takes the references of events to distinct values back: a value disappears with its last event. Those of earlier hours are not kept. */
export async function takeBackDistincts(
  tx: Transaction,
  copies: readonly Copy[],
  { hoursFrom, owner = 'stream' }: TakeBackPlaces,
): Promise<void> {
  const table = owner === 'backfill' ? backfilledValue : distinctValue;
  const lost = [...lostOf(copies.filter(({ event }) => hourOf(event.time) >= hoursFrom)).values()];
  if (lost.length === 0) return;
  const rows = await tx.read(
    table,
    lost.map(({ key }) => key),
  );
  lost.forEach(({ key, meter, change }, place) => {
    const row = rows[place];
    if (row === undefined)
      throw new Error(`meter ${meter} does not know a value that is taken back: run a reconciliation`);
    const value = unpackMinutes(row.minutes);
    mergeDistinctValue(value, change);
    if (value.references === 0) tx.delete(table, key);
    else tx.upsert(table, { ...row, references: value.references, minutes: packMinutes(value) });
  });
}

function lostOf(copies: readonly Copy[]): Map<string, Lost> {
  const lost = new Map<string, Lost>();
  for (const { event, effects } of copies)
    for (const { meter, group, distinct } of effects) {
      if (distinct === '') continue;
      const { namespace, subject, time } = event;
      const key: Key = [namespace, subject, meter.key, meter.generation, dayOf(time), group, distinct];
      const name = JSON.stringify(key);
      const known = lost.get(name) ?? { key, meter: meter.label, change: emptyDistinctValue() };
      lost.set(name, known);
      const hourOfDay = ((hourOf(time) % HOURS_PER_DAY) + HOURS_PER_DAY) % HOURS_PER_DAY;
      addReferences(known.change, hourOfDay * MINUTES_PER_HOUR + minuteOfHour(time), -1);
    }
  return lost;
}
