import { parseCadence } from '../calendar/check-periods.ts';
import {
  ADD_ONS_PER_PLAN_VERSION_MAX,
  CHARGES_PER_PLAN_VERSION_MAX,
  CURRENCIES_PER_PLAN_MAX,
  PHASES_PER_PLAN_VERSION_MAX,
  PLAN_NAME_BYTES_MAX,
  PLAN_VERSION_BYTES_MAX,
} from '../limits.ts';
import { isIsoCurrency } from '../money/currency.ts';
import { violation } from '../pricing/check-number.ts';
import { checkPrintable, type Violation } from '../violation.ts';
import { checkAmounts, checkPlanBounds } from './check-plan-bounds.ts';
import { checkKey, checkPlanCharge } from './check-plan-charge.ts';
import { chargeKind, chargesOf, type PlacedCharge } from './plan-parts.ts';
import type { Phase, PlanVersionDefinition } from './plan-version.ts';

/**
 * All that is wrong with what a version of a plan sells, at once, by JSON pointers into it; empty when it can be subscribed to. Of one that
 * is larger than the limits allow, only that is said. Whether its meters are there is for those to say who can read them.
 */
export function checkPlanVersion(version: PlanVersionDefinition): Violation[] {
  const tooLarge = checkSize(version);
  if (tooLarge.length > 0) return tooLarge;
  const { currencies, phases, addOns, family, spendThreshold } = version;
  return [
    ...checkCurrencies(currencies),
    ...checkPhases(phases),
    ...(addOns ?? []).flatMap(({ key, name }, index) =>
      checkNamed(`/addOns/${index}`, { key, name }, 'add-on'),
    ),
    ...checkUnique((addOns ?? []).map(({ key }, index) => ({ key, pointer: `/addOns/${index}/key` }))),
    ...checkCharges(version),
    ...checkPlanBounds(version),
    ...(family == null ? [] : checkKey('/family', family, 'family')),
    ...(spendThreshold ? checkAmounts('/spendThreshold', spendThreshold, currencies) : []),
  ];
}

function checkSize(version: PlanVersionDefinition): Violation[] {
  const { currencies, phases, addOns } = version;
  const atMost = (pointer: string, count: number, max: number, what: string): Violation[] =>
    count > max ? [violation(pointer, 'too_many', `has ${count} ${what}, and may have ${max}`)] : [];
  const faults = [
    ...atMost('/currencies', currencies.length, CURRENCIES_PER_PLAN_MAX, 'currencies'),
    ...atMost('/phases', phases.length, PHASES_PER_PLAN_VERSION_MAX, 'phases'),
    ...atMost('/addOns', addOns?.length ?? 0, ADD_ONS_PER_PLAN_VERSION_MAX, 'add-ons'),
    ...atMost('', chargesOf(version).length, CHARGES_PER_PLAN_VERSION_MAX, 'charges in all'),
  ];
  if (Buffer.byteLength(JSON.stringify(version)) > PLAN_VERSION_BYTES_MAX)
    faults.push(violation('', 'too_large', `has more than ${PLAN_VERSION_BYTES_MAX} bytes as JSON`));
  return faults;
}

function checkCurrencies(currencies: readonly string[]): Violation[] {
  if (currencies.length === 0)
    return [violation('/currencies', 'empty', 'names at least the currency that charges are written in')];
  return currencies.flatMap((code, index) => {
    const pointer = `/currencies/${index}`;
    if (!isIsoCurrency(code))
      return [violation(pointer, 'unknown_currency', 'is an ISO 4217 code, such as USD')];
    return currencies.indexOf(code) < index
      ? [violation(pointer, 'duplicate_currency', 'is named before')]
      : [];
  });
}

function checkPhases(phases: readonly Phase[]): Violation[] {
  if (phases.length === 0) return [violation('/phases', 'empty', 'has at least one phase')];
  return [
    ...phases.flatMap((phase, index) => [
      ...checkNamed(`/phases/${index}`, phase, 'phase'),
      ...checkDuration(`/phases/${index}/duration`, phase, index === phases.length - 1),
    ]),
    ...checkUnique(phases.map(({ key }, index) => ({ key, pointer: `/phases/${index}/key` }))),
  ];
}

function checkDuration(pointer: string, { duration }: Phase, isLast: boolean): Violation[] {
  if (isLast)
    return duration == null
      ? []
      : [violation(pointer, 'last_phase_ends', 'the last phase goes on: leave its duration out')];
  if (duration == null)
    return [
      violation(pointer, 'duration_missing', 'only the last phase goes on for good: say how long it is'),
    ];
  return parseCadence(duration) === undefined
    ? [violation(pointer, 'invalid_duration', 'is an ISO 8601 duration in whole minutes, such as P14D')]
    : [];
}

interface Named {
  readonly key: string;
  readonly name?: string | null | undefined;
}

const checkNamed = (at: string, { key, name }: Named, what: string): Violation[] => [
  ...checkKey(`${at}/key`, key, what),
  ...(name == null ? [] : checkPrintable(`${at}/name`, name, PLAN_NAME_BYTES_MAX)),
];

function checkUnique(all: readonly { readonly key: string; readonly pointer: string }[]): Violation[] {
  const seen = new Set<string>();
  return all.flatMap(({ key, pointer }) => {
    if (!seen.has(key)) return (seen.add(key), []);
    return [violation(pointer, 'duplicate_key', 'is the key of another one')];
  });
}

function checkCharges(version: PlanVersionDefinition): Violation[] {
  const placed = chargesOf(version);
  return [
    ...placed.flatMap(({ charge, pointer }) =>
      checkPlanCharge(charge, version.currencies).map((fault) => ({
        ...fault,
        pointer: `${pointer}${fault.pointer}`,
      })),
    ),
    ...checkChargeKeys(placed),
    ...checkSuccessors(placed),
  ];
}

/** A phase has a charge once; an add-on can be taken in any phase, so its charges have keys that nothing else of the version has. */
function checkChargeKeys(placed: readonly PlacedCharge[]): Violation[] {
  const named = placed.map(({ charge: { key }, pointer, phase }) => ({
    key,
    pointer: `${pointer}/key`,
    /** Of phases of one key, too, each is one of its own. */
    home: phase === null ? '' : pointer.slice(0, pointer.indexOf('/charges')),
  }));
  const keysOfPhases = new Set(named.filter(({ home }) => home !== '').map(({ key }) => key));
  return [
    ...[...Map.groupBy(named, ({ home }) => home).values()].flatMap(checkUnique),
    ...named
      .filter(({ key, home }) => home === '' && keysOfPhases.has(key))
      .map(({ pointer }) => violation(pointer, 'duplicate_key', 'is the key of a charge of a phase')),
  ];
}

/** Charges of one key are one charge through the phases: what they measure stays the same, or what is billed would be of two things. */
function checkSuccessors(placed: readonly PlacedCharge[]): Violation[] {
  const first = new Map<string, PlacedCharge>();
  return placed.flatMap((each) => {
    const { charge, pointer } = each;
    const before = first.get(charge.key);
    if (before === undefined) return (first.set(charge.key, each), []);
    const message = `is of one charge with ${before.pointer}: give it the same, or another key`;
    if ((charge.meter ?? null) !== (before.charge.meter ?? null))
      return [violation(`${pointer}/meter`, 'charge_differs', message)];
    return chargeKind(charge) === chargeKind(before.charge)
      ? []
      : [violation(`${pointer}/cadence`, 'charge_differs', message)];
  });
}
