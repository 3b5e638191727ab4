import { decompose, hoursTouching, type IndexRange } from '#domain/usage/decompose.ts';
import {
  hourOf,
  hourStart,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  type DayIndex,
  type Instant,
} from '#domain/instant.ts';
import type { Accumulator, Aggregation } from '#domain/metering/accumulator.ts';
import { TOTAL_VIEW } from '#domain/metering/batch.ts';
import { unpackDayCell } from '#domain/metering/day-cell.ts';
import { unpackHourCell, type HourCell } from '#domain/metering/hour-cell.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { add, type Quantity } from '#domain/metering/quantity.ts';
import type { OwnedSubject } from '#infra/customers/own-subjects.ts';
import type { Reads } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { usageDay, usageHour, type Row } from '#infra/usage/tables.ts';

/** Event time [from, to); `to` may be infinite. Whole minutes. */
export interface TimeSpan {
  readonly from: Instant;
  readonly to: Instant;
}

/** Usage of one meter version, which counts or sums, by everything a customer owns. */
export interface CustomerUsage {
  readonly namespace: string;
  readonly meter: MeterVersion;
  readonly subjects: readonly OwnedSubject[];
  /** Days up to here are read from day rows. */
  readonly rolledThrough: DayIndex;
}

/** A stretch in which a subject was the customer's. */
interface OwnedStretch extends TimeSpan {
  readonly subject: string;
}

/** Where the customer's subjects were its own within the span. */
export const stretchesWithin = (subjects: readonly OwnedSubject[], { from, to }: TimeSpan): OwnedStretch[] =>
  subjects.flatMap(({ subject, intervals }) =>
    intervals
      .map((owned) => ({
        subject,
        from: Math.max(owned.from, from),
        to: Math.min(owned.to ?? Infinity, to),
      }))
      .filter((stretch) => stretch.from < stretch.to),
  );

/** What the customer used within a span that ends, from total cells: a day row for each whole rolled day, hours at the edges. */
export async function usedWithin(from: Reads, usage: CustomerUsage, span: TimeSpan): Promise<Quantity> {
  const stretches = stretchesWithin(usage.subjects, span);
  let used: Quantity = 0;
  for (let at = 0; at < stretches.length; at += STRETCHES_AT_ONCE) {
    const some = stretches.slice(at, at + STRETCHES_AT_ONCE);
    const sums = await Promise.all(some.map((stretch) => sumOfStretch(from, usage, stretch)));
    used = sums.reduce(add, used);
  }
  return used;
}

/** Read side by side: each is two or three scans. */
const STRETCHES_AT_ONCE = 16;

const seriesOf = ({ namespace, meter }: CustomerUsage, subject: string): Key => [
  namespace,
  subject,
  meter.key,
  meter.generation,
  TOTAL_VIEW,
];

async function sumOfStretch(from: Reads, usage: CustomerUsage, stretch: OwnedStretch): Promise<Quantity> {
  const { aggregation } = usage.meter.definition;
  const series = seriesOf(usage, stretch.subject);
  const [days] = decompose(stretch.from, stretch.to, usage.rolledThrough).days;
  let sum: Quantity = 0;
  if (days)
    for await (const row of from.scan(usageDay, { prefix: series, ...days }))
      sum = add(sum, quantityOf(aggregation, unpackDayCell(aggregation, row).totals));
  for (const hours of hoursBeside(stretch, days))
    for await (const row of from.scan(usageHour, { prefix: series, ...hours }))
      sum = add(sum, quantityWithin(aggregation, row, stretch));
  return sum;
}

/** The hours that a span touches and its days do not hold. */
function hoursBeside(span: TimeSpan, days: IndexRange | undefined): IndexRange[] {
  const touched = hoursTouching(span.from, span.to);
  if (!days) return [touched];
  return [
    { from: touched.from, to: days.from * HOURS_PER_DAY },
    { from: days.to * HOURS_PER_DAY, to: touched.to },
  ].filter(({ from, to }) => from < to);
}

const HOURS_PER_DAY = 24;

/** An hour that lies within the span needs no look at its minutes, mostly. */
function quantityWithin(
  aggregation: Aggregation,
  row: Row<typeof usageHour>,
  { from, to }: TimeSpan,
): Quantity {
  const start = hourStart(row.hour);
  if (start >= from && start + MICROS_PER_HOUR <= to) {
    const minutes = row.totals.length > 0 ? NO_MINUTES : row.minutes;
    return quantityOf(aggregation, unpackHourCell(aggregation, { ...row, minutes }).totals);
  }
  let sum: Quantity = 0;
  for (const [at, quantity] of minutesOf(aggregation, row.hour, unpackHourCell(aggregation, row)))
    if (at >= from && at < to) sum = add(sum, quantity);
  return sum;
}

const NO_MINUTES = new Uint8Array(0);

const quantityOf = (aggregation: Aggregation, { count, value }: Accumulator): Quantity =>
  aggregation === 'count' ? count : value;

function* minutesOf(
  aggregation: Aggregation,
  hour: number,
  { minutes }: HourCell,
): Generator<readonly [Instant, Quantity]> {
  for (const [minute, accumulator] of minutes)
    yield [hourStart(hour) + minute * MICROS_PER_MINUTE, quantityOf(aggregation, accumulator)];
}

/** The customer's usage from a time on, minute by minute, in no order; a minute may come several times. */
export async function* usedByMinute(
  from: Reads,
  usage: CustomerUsage,
  since: Instant,
): AsyncGenerator<readonly [Instant, Quantity]> {
  const { aggregation } = usage.meter.definition;
  for (const stretch of stretchesWithin(usage.subjects, { from: since, to: Infinity })) {
    const range = { prefix: seriesOf(usage, stretch.subject), from: hourOf(stretch.from) };
    for await (const row of from.scan(usageHour, range))
      for (const minute of minutesOf(aggregation, row.hour, unpackHourCell(aggregation, row)))
        if (minute[0] >= stretch.from && minute[0] < stretch.to) yield minute;
  }
}
