import { CHARGES_PER_BILL_MAX } from '../limits.ts';
import { checkCharge } from '../pricing/check-charge.ts';
import type { Charge, Price } from '../pricing/charge.ts';
import type { Violation } from '../violation.ts';
import { usageNeeded } from './usage-needed.ts';

/** A charge that lines can name. */
export interface BilledCharge extends Charge {
  readonly key: string;
}

/** All that keeps charges from being billed together, at once, by pointers below `/charges`. */
export function checkBilledCharges(charges: readonly BilledCharge[]): Violation[] {
  if (charges.length > CHARGES_PER_BILL_MAX)
    return [
      { pointer: '/charges', code: 'too_many', message: `has more than ${CHARGES_PER_BILL_MAX} charges` },
    ];
  const keys = charges.map(({ key }) => key);
  return charges.flatMap((charge, index) => {
    const faults = checkCharge(charge);
    return [
      ...(keys.indexOf(charge.key) < index
        ? [{ pointer: '/key', code: 'duplicate_key', message: 'is the key of another charge' }]
        : []),
      ...faults,
      ...(faults.length === 0 ? checkMeasured(charge) : []),
    ].map((fault) => ({ ...fault, pointer: `/charges/${index}${fault.pointer}` }));
  });
}

/** Every price that a charge has at some time: its own, and those by date. */
export const pricesOf = ({ price, rates }: Charge): readonly Price[] => [
  price,
  ...(rates ?? []).map((rate) => rate.price),
];

function checkMeasured(charge: Charge): Violation[] {
  const isMeasured = pricesOf(charge).some((price) => usageNeeded(charge, price).kind !== 'nothing');
  return isMeasured && charge.meter == null
    ? [{ pointer: '/meter', code: 'meter_needed', message: 'must name the meter whose usage is priced' }]
    : [];
}
