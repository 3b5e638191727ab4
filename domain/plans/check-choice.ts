import type { AnchorChoice } from '../calendar/anchor.ts';
import { checkAnchor, parseCadence } from '../calendar/check-periods.ts';
import { checkCharge } from '../pricing/check-charge.ts';
import { checkNumber, numberOf, violation } from '../pricing/check-number.ts';
import type { ChargeOverride, Terms } from '../subscriptions/subscription.ts';
import { pointerStep, type Violation } from '../violation.ts';
import { chargeIn } from './charge-in.ts';
import { withOverride } from './charge-override.ts';
import { hasSeats, lacksMeter } from './check-plan-charge.ts';
import { boundsIn, cadenceOf, chargesOf } from './plan-parts.ts';
import { ONCE, type PlanCharge, type PlanVersion, type PlanVersionDefinition } from './plan-version.ts';

/** What a subscription says of its own where it takes a version of a plan. */
export interface Choice extends Pick<Terms, 'quantities' | 'overrides' | 'addOns'> {
  readonly currency: string;
  readonly anchor?: AnchorChoice;
}

/**
 * All that keeps a subscription with this choice from being on a version, at once, by pointers into the choice. The version is a checked
 * one; whether it is on offer is another question.
 */
export function checkChoice(version: PlanVersion, choice: Choice): Violation[] {
  const { currency, quantities, overrides, addOns, anchor } = choice;
  const charges = Map.groupBy(
    chargesOf(version).map(({ charge }) => charge),
    ({ key }) => key,
  );
  const offered = version.currencies.includes(currency);
  return [
    ...(offered
      ? []
      : [violation('/currency', 'currency_not_offered', `${named(version)} is not sold in ${currency}`)]),
    ...Object.entries(quantities).flatMap(([key, seats]) =>
      checkSeats(version, { key, seats, charges: charges.get(key) }),
    ),
    ...(offered
      ? Object.entries(overrides).flatMap(([key, override]) =>
          checkOverride(version, { key, override, currency, charges: charges.get(key) }),
        )
      : []),
    ...Object.entries(addOns).flatMap(([key, taken]) => checkAddOn(version, key, taken)),
    ...(anchor === undefined ? [] : checkCadences(version, anchor)),
  ];
}

/** How messages name a version: `pro 3`. */
export const named = ({ plan, version }: Pick<PlanVersion, 'plan' | 'version'>): string =>
  `${plan} ${version}`;

const noSuchCharge = (version: PlanVersion, pointer: string, key: string): Violation =>
  violation(pointer, 'unknown_charge', `${named(version)} has no charge ${key}`);

interface ChosenSeats {
  readonly key: string;
  readonly seats: string;
  readonly charges: readonly PlanCharge[] | undefined;
}

function checkSeats(version: PlanVersion, { key, seats, charges }: ChosenSeats): Violation[] {
  const pointer = `/quantities/${pointerStep(key)}`;
  if (!charges) return [noSuchCharge(version, pointer, key)];
  return [
    ...checkNumber(pointer, seats),
    ...(charges.some(hasSeats)
      ? []
      : [violation(pointer, 'charge_without_seats', `${key} is no fee of so many units: leave it out`)]),
  ];
}

interface ChosenOverride {
  readonly key: string;
  readonly override: ChargeOverride;
  readonly currency: string;
  readonly charges: readonly PlanCharge[] | undefined;
}

/** The plan's own charge has no faults, so what is found is the override's, by itself or together with what stays. */
function checkOverride(
  version: PlanVersion,
  { key, override, currency, charges }: ChosenOverride,
): Violation[] {
  const at = `/overrides/${pointerStep(key)}`;
  if (!charges) return [noSuchCharge(version, at, key)];
  const faults = charges.flatMap((charge) => {
    const paid = withOverride(chargeIn(currency, charge), override);
    const found = checkCharge(paid);
    if (found.length > 0 || !lacksMeter(paid)) return found;
    return [violation('/price', 'meter_needed', 'prices events or groups, and the charge has no meter')];
  });
  const once = new Map(faults.map((fault) => [`${fault.pointer} ${fault.code}`, fault]));
  return [...once.values()].map((fault) => ({ ...fault, pointer: `${at}${fault.pointer}` }));
}

function checkAddOn(version: PlanVersion, key: string, taken: string): Violation[] {
  const pointer = `/addOns/${pointerStep(key)}`;
  if (!version.addOns?.some((addOn) => addOn.key === key))
    return [violation(pointer, 'unknown_add_on', `${named(version)} has no add-on ${key}`)];
  const faults = checkNumber(pointer, taken);
  if (faults.length > 0 || numberOf(taken)?.isInteger()) return faults;
  return [violation(pointer, 'not_whole', 'is taken a whole number of times')];
}

/** What keeps the periods of a version's charges and bounds from being counted from an anchor: each thing once. */
function checkCadences(version: PlanVersionDefinition, anchor: AnchorChoice): Violation[] {
  const bounds = version.phases.flatMap((phase) => {
    const { minimum, maximum } = boundsIn(version, phase);
    return [minimum, maximum].filter((bound) => bound !== null);
  });
  const charges = chargesOf(version).map(({ charge }) => charge);
  const cadences = new Set([...charges, ...bounds].map(cadenceOf).filter((cadence) => cadence !== ONCE));
  const faults = [...cadences].flatMap((text) => {
    const cadence = parseCadence(text);
    return cadence ? checkAnchor(anchor, cadence) : [];
  });
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.message}`, fault])).values()];
}
