import { civilOfDays, daysOfCivil } from '../calendar/civil-date.ts';
import { firstInstantAt, localDayAt } from '../calendar/local-time.ts';
import type { TimeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { MICROS_PER_DAY, endOfMinute, floorToMinute, type Instant } from '../instant.ts';
import type { Charge, Price } from '../pricing/charge.ts';
import { pricesBetween } from '../pricing/rates.ts';

/** A part of a billing period in which a charge has one price. */
export interface ChargeSegment extends TimeWindow {
  readonly price: Price;
}

/**
 * A billing period cut where the charge's price changes: each price holds from its day's first moment in the zone. Segments are in order,
 * contiguous, of whole minutes, and cover the period. The period is of whole minutes.
 * Worked: March in Berlin with a rate from the 30th is cut at 22:00 UTC of the 29th, since clocks went forward that day.
 */
export function chargeSegments(charge: Charge, { from, to }: TimeWindow, zone: TimeZone): ChargeSegment[] {
  const first = localDayAt(zone, endOfMinute(from));
  const next = localDayAt(zone, to - 1) + 1;
  const prices = pricesBetween(charge, dateText(first), dateText(next));
  const starts = prices.map((dated, index) => (index === 0 ? from : dayBegins(zone, dated.from)));
  return prices
    .map(({ price }, index) => ({
      price,
      from: Math.max(starts[index] ?? from, from),
      to: Math.min(starts[index + 1] ?? to, to),
    }))
    .filter((segment) => segment.from < segment.to);
}

/** Moved down to its minute, as all boundaries are. */
function dayBegins(zone: TimeZone, date: string): Instant {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  return floorToMinute(firstInstantAt(zone, daysOfCivil(year, month, day) * MICROS_PER_DAY));
}

function dateText(days: number): string {
  const { year, month, day } = civilOfDays(days);
  const [years, months, monthDays] = [padded(year, 4), padded(month, 2), padded(day, 2)];
  return `${years}-${months}-${monthDays}`;
}

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');
