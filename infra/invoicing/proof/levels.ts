import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { compileMeter } from '#domain/metering/catalogue.ts';
import { QUANTITY_DECIMALS, toScaled } from '#domain/metering/quantity.ts';
import { dimensionNames, textOf } from '#infra/rating/warehouse-event.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { countedEvent, metersToAsk, prepareMeter, saidEvent, subjectNames } from './counted-event.ts';
import type { LineQuestion } from './line-question.ts';
import { meteredRows, SUBJECTS_PER_QUESTION } from './metered-rows.ts';

/** What was held as a period began, scaled by 10^18: by subject, and by group. */
export type Levels = ReadonlyMap<string, ReadonlyMap<string, bigint>>;

/** No event is from before. */
const BEGINNING = 0;

/**
 * The levels that a meter's subjects held when a period began: the sum of all their earlier changes, whoever they belonged to then. Throws what the
 * warehouse throws.
 */
export async function levelsBefore(
  warehouse: Pick<Warehouse, 'query'>,
  namespace: string,
  line: LineQuestion,
): Promise<Levels> {
  const { meter, subjects, period, at } = line;
  const levels = new Map<string, Map<string, bigint>>();
  if (period.from <= BEGINNING) return levels;
  if (meter.backfilled !== undefined) return levelsOfEvents(warehouse, namespace, line);
  const { value = '', dimensions = {} } = meter.definition;
  const names = subjectNames(subjects).sort();
  for (let first = 0; first < names.length; first += SUBJECTS_PER_QUESTION) {
    const rows = warehouse.query('usage_by_window', {
      namespace,
      from: formatInstant(BEGINNING),
      to: formatInstant(period.from),
      at: formatInstant(at),
      meter: compileMeter(meter).label,
      subjects: names.slice(first, first + SUBJECTS_PER_QUESTION),
      aggregation: 'sum',
      value,
      bySubject: true,
      dimensions: dimensionNames(meter).map((name) => dimensions[name] ?? ''),
    });
    for await (const row of rows) {
      const subject = textOf(row, 'subject');
      const ofSubject = levels.get(subject) ?? new Map<string, bigint>();
      levels.set(subject, ofSubject.set(groupOf(row), scaledSum(textOf(row, 'value'))));
    }
  }
  return levels;
}

/** What a backfill has counted the warehouse cannot sum, since it does not know filters: so the events are gone through one by one. */
async function levelsOfEvents(
  warehouse: Pick<Warehouse, 'query'>,
  namespace: string,
  { meter, subjects, period, at }: LineQuestion,
): Promise<Levels> {
  const prepared = prepareMeter(namespace, meter);
  const levels = new Map<string, Map<string, bigint>>();
  const before = { from: BEGINNING, to: period.from };
  const question = {
    namespace,
    period: before,
    at,
    subjects: subjectNames(subjects),
    meters: metersToAsk([prepared]),
  };
  for await (const row of meteredRows(warehouse, question)) {
    const counted = prepared.isInCells(row) ? countedEvent(prepared, saidEvent(row)) : undefined;
    if (counted === undefined) continue;
    const { said, effect } = counted;
    const ofSubject = levels.get(said.subject) ?? new Map<string, bigint>();
    const level = (ofSubject.get(effect.group) ?? 0n) + toScaled(effect.value);
    levels.set(said.subject, ofSubject.set(effect.group, level));
  }
  return levels;
}

/** As cells name it: the canonical JSON array of the values, nothing for a meter without dimensions. */
const groupOf = ({ dimensions }: WarehouseRow): string =>
  Array.isArray(dimensions) ? JSON.stringify(dimensions) : '';

/** Read as text: a sum may be longer than any value of an event. */
function scaledSum(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const magnitude = BigInt(whole + fraction.padEnd(QUANTITY_DECIMALS, '0'));
  return text.startsWith('-') ? -magnitude : magnitude;
}
