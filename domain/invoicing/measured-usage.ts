import { addsUp, type MeterVersion } from '../metering/meter.ts';
import { Decimal } from '../money/decimal.ts';
import type { Fraction } from '../money/fraction.ts';
import { groupKey } from '../pricing/groups.ts';
import { prorateQuantity } from '../pricing/proration.ts';
import type { Dimensions, Usage } from '../pricing/usage.ts';
import type { MeasuredUsage, OfMeter } from './invoice-inputs.ts';
import type { LineUsage } from './invoice.ts';

/** What a measurement says of its meter. */
export const measuredBy = ({
  key,
  version,
  definition,
}: Pick<MeterVersion, 'key' | 'version' | 'definition'>): OfMeter => ({
  meter: key,
  meterVersion: version,
  ...(addsUp(definition) ? {} : { isLevel: true }),
});

/**
 * A stored measurement, to rate it; `part` is the part of the period that was measured. A fee that is due once in a period measures nothing.
 * Worked: 600 gigabytes on average over half of a month are 300 gigabyte-months, a peak of 10 in each half is 5 and 5; 600 requests in it
 * are 600 requests.
 */
export function toUsage(measured: MeasuredUsage, part: Fraction): Usage {
  const quantityOf = (text: string): Decimal => {
    const quantity = new Decimal(text);
    return 'isLevel' in measured ? prorateQuantity(quantity, part) : quantity;
  };
  switch (measured.kind) {
    case 'none':
      return { quantity: new Decimal(0) };
    case 'seats':
      return { seats: new Decimal(measured.seats) };
    case 'quantity':
      return { quantity: quantityOf(measured.quantity) };
    case 'groups':
      return {
        groups: measured.groups.map(({ dimensions, quantity }) => ({
          dimensions,
          quantity: quantityOf(quantity),
        })),
      };
    case 'events':
      return {
        events: measured.events.map(({ value, dimensions }) => ({ value: new Decimal(value), dimensions })),
      };
  }
}

/** The events behind a line: those of its group where it has one, all that were measured otherwise. */
export type UsageOfLine = (dimensions: Dimensions | undefined) => LineUsage | null;

export function usageOfLines(measured: MeasuredUsage): UsageOfLine {
  if (measured.kind === 'none' || measured.kind === 'seats') return () => null;
  const { meter, meterVersion } = measured;
  const of = (fingerprint: string): LineUsage => ({ meter, meterVersion, fingerprint });
  if (measured.kind !== 'groups') return () => of(measured.fingerprint);
  const byGroup = Map.groupBy(measured.groups, ({ dimensions }) => groupKey(dimensions));
  return (dimensions) => {
    const groups = dimensions ? (byGroup.get(groupKey(dimensions)) ?? []) : measured.groups;
    return of(sumFingerprints(groups.map(({ fingerprint }) => fingerprint)));
  };
}

const FINGERPRINT_BITS = 128;
const FINGERPRINT_DIGITS = 32;

/** As fingerprints add up: modulo 2^128. Of none it is 0. */
export function sumFingerprints(all: readonly string[]): string {
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const sum = all.reduce((total, each) => total + BigInt(`0x${each}`), 0n);
  return BigInt.asUintN(FINGERPRINT_BITS, sum).toString(16).padStart(FINGERPRINT_DIGITS, '0');
}
