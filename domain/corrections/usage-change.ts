import { dayOf, hourOf, type DayIndex, type HourIndex } from '../instant.ts';
import type { Aggregation } from '../metering/accumulator.ts';
import type { Copy } from '../metering/batch.ts';
import { add, negate, type Quantity } from '../metering/quantity.ts';

/** What a change of events does to one generation of a meter. */
export interface MeterChange {
  readonly meter: string;
  readonly generation: number;
  readonly aggregation: Aggregation;
  /** Events that it counts more, or less. */
  events: number;
  /**
   * By how much it measures more, or less: of a sum, a count, a level (what it ends at) and the sum behind an average. Null where that does not
   * follow from these events alone.
   */
  value: Quantity | null;
}

/** What a change of events does, added up while they are gone through by their times. */
export interface UsageChange {
  readonly meters: ReadonlyMap<string, MeterChange>;
  /** Events by subject: those that go, and those that come. */
  readonly subjects: ReadonlyMap<string, number>;
  readonly days: ReadonlySet<DayIndex>;
  /** Hour cells that are different afterwards. */
  cells: number;
  add(copy: Copy, sign: 1 | -1): void;
}

const ADDED_UP: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'average', 'timeWeightedSum']);

/** Events are given in the order of their times, so that cells need to be known of one hour at a time only. */
export function createUsageChange(): UsageChange {
  const meters = new Map<string, MeterChange>();
  const subjects = new Map<string, number>();
  const days = new Set<DayIndex>();
  let hour: HourIndex = -Infinity;
  const cells = new Set<string>();
  const change: UsageChange = {
    meters,
    subjects,
    days,
    cells: 0,
    add: ({ event, effects }, sign) => {
      subjects.set(event.subject, (subjects.get(event.subject) ?? 0) + 1);
      if (effects.length > 0) days.add(dayOf(event.time));
      if (hourOf(event.time) !== hour) {
        hour = hourOf(event.time);
        cells.clear();
      }
      const note = (name: string): void => {
        if (cells.has(name)) return;
        cells.add(name);
        change.cells++;
      };
      for (const { meter, value, group } of effects) {
        note(`${meter.label}\0${event.subject}`);
        if (group !== '') note(`${meter.label}\0${event.subject}\0${group}`);
        addEffect(meters, meter, { sign, value });
      }
    },
  };
  return change;
}

function addEffect(
  meters: Map<string, MeterChange>,
  { key, generation, label, aggregation }: Copy['effects'][number]['meter'],
  { sign, value }: { readonly sign: 1 | -1; readonly value: Quantity },
): void {
  const known = meters.get(label) ?? {
    meter: key,
    generation,
    aggregation,
    events: 0,
    value: ADDED_UP.has(aggregation) ? 0 : null,
  };
  meters.set(label, known);
  known.events += sign;
  if (known.value === null) return;
  const measured = aggregation === 'count' ? 1 : value;
  known.value = add(known.value, sign === 1 ? measured : negate(measured));
}
