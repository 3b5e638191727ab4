import { violation } from '../pricing/check-number.ts';
import type { Violation } from '../violation.ts';
import { chargeIn } from './charge-in.ts';
import { checkChoice, named, type Choice } from './check-choice.ts';
import { boundsIn, cadenceOf, chargeKind, chargesOf, familyOf } from './plan-parts.ts';
import type { PlanBound, PlanCharge, PlanVersion } from './plan-version.ts';

export const NOTICE_CODES = [
  'family_changes',
  'phases_change',
  'charge_added',
  'charge_removed',
  'charge_replaced',
  'cadence_changes',
  'timing_changes',
  'price_changes',
  'add_on_added',
  'add_on_removed',
  'bounds_change',
] as const;
export type NoticeCode = (typeof NOTICE_CODES)[number];

/** What a change does that whoever makes it should know. */
export interface Notice {
  readonly code: NoticeCode;
  /** The charge or add-on that it is about. */
  readonly key: string | null;
  readonly message: string;
}

/** Whether a subscription can go from one version to another: not with any fault. */
export interface Compatibility {
  readonly faults: readonly Violation[];
  readonly notices: readonly Notice[];
}

/**
 * What it means to go from one version to another, of the same plan or of two. Faults have pointers into the choice, or say `/version` where
 * it is the version itself that cannot be gone to. Both versions are checked ones.
 */
export function compatibility(from: PlanVersion, to: PlanVersion, choice: Choice): Compatibility {
  const sides = pairUp(from, to);
  const staysInFamily = familyOf(from) === familyOf(to);
  return {
    faults: [
      ...checkOffered(from, to),
      ...checkChoice(to, choice),
      ...(staysInFamily ? sides.flatMap((pair) => checkSuccessor(pair, to)) : []),
    ],
    notices: [
      ...(staysInFamily ? [] : [familyChanges(from, to)]),
      ...phasesChange(from, to),
      ...sides.flatMap((pair) => noticesOf(pair, { currency: choice.currency, from, to })),
      ...addOnsChange(from, to),
      ...boundsChange(from, to, choice.currency),
    ],
  };
}

/** A version that is not on offer any more can be stayed on, but not gone to. */
function checkOffered(from: PlanVersion, to: PlanVersion): Violation[] {
  if (to.state === 'active' || (from.plan === to.plan && from.version === to.version)) return [];
  return to.state === 'draft'
    ? [violation('/version', 'version_not_published', `${named(to)} is a draft: publish it first`)]
    : [violation('/version', 'version_archived', `${named(to)} is archived: choose another`)];
}

/** A charge of one key, as it is in the phases and add-ons of each version; empty where a version has none. */
interface Pair {
  readonly key: string;
  readonly before: readonly PlanCharge[];
  readonly after: readonly PlanCharge[];
}

function pairUp(from: PlanVersion, to: PlanVersion): Pair[] {
  const byKey = (version: PlanVersion): Map<string, PlanCharge[]> =>
    Map.groupBy(
      chargesOf(version).map(({ charge }) => charge),
      ({ key }) => key,
    );
  const [before, after] = [byKey(from), byKey(to)];
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].map((key) => ({ key, before: before.get(key) ?? [], after: after.get(key) ?? [] }));
}

/** Whether anything about a charge differs, in whatever phase. */
function differs({ before, after }: Pair, part: (charge: PlanCharge) => unknown): boolean {
  const all = (charges: readonly PlanCharge[]): string =>
    [...new Set(charges.map((charge) => plainText(part(charge))))].sort().join();
  return all(before) !== all(after);
}

const isInBoth = ({ before, after }: Pair): boolean => before.length > 0 && after.length > 0;
const measured = (charge: PlanCharge): unknown => [chargeKind(charge), charge.meter ?? null];

/** In a family a charge goes on in the one of its key, so that must be of the same thing. */
const checkSuccessor = (pair: Pair, to: PlanVersion): Violation[] =>
  isInBoth(pair) && differs(pair, measured)
    ? [
        violation(
          '/version',
          'charge_differs',
          `${pair.key} of ${named(to)} measures or charges another thing under the same key: give it another key, or the plan another family`,
        ),
      ]
    : [];

interface Between {
  readonly currency: string;
  readonly from: PlanVersion;
  readonly to: PlanVersion;
}

function noticesOf(pair: Pair, { currency, from, to }: Between): Notice[] {
  const { key, before, after } = pair;
  const about = (code: NoticeCode, message: string): Notice => ({ code, key, message });
  if (before.length === 0) return [about('charge_added', `${key} is charged from the change on`)];
  if (after.length === 0)
    return [
      about(
        'charge_removed',
        `${key} ends with the change; what was paid in advance beyond it is given back`,
      ),
    ];
  if (familyOf(from) !== familyOf(to) || differs(pair, measured))
    return [
      about('charge_replaced', `${key} of ${named(from)} ends, and ${key} of ${named(to)} begins anew`),
    ];
  return [
    ...(differs(pair, cadenceOf)
      ? [about('cadence_changes', `periods of ${key} begin anew with the change`)]
      : []),
    ...(differs(pair, ({ timing }) => timing ?? 'inArrears')
      ? [about('timing_changes', `${key} begins anew with the change, due at another end of its periods`)]
      : []),
    ...(differs(pair, (charge) => paid(chargeIn(currency, charge)))
      ? [about('price_changes', `${key} costs otherwise from the change on`)]
      : []),
  ];
}

/** What makes up the amount of a charge. */
const paid = ({ price, rates, quantity, discount, maximum, minimum, seats }: PlanCharge): unknown => ({
  price,
  rates: rates ?? null,
  quantity: quantity ?? null,
  discount: discount ?? null,
  maximum: maximum ?? null,
  minimum: minimum ?? null,
  seats: seats ?? '1',
});

const familyChanges = (from: PlanVersion, to: PlanVersion): Notice => ({
  code: 'family_changes',
  key: null,
  message: `${familyOf(to)} is another family than ${familyOf(from)}: every charge begins anew, and so do tiers`,
});

function phasesChange(from: PlanVersion, to: PlanVersion): Notice[] {
  const outline = ({ phases }: PlanVersion): string =>
    plainText(phases.map(({ key, duration }) => [key, duration]));
  if (outline(from) === outline(to)) return [];
  const message = `${named(to)} has other phases, or phases of another length`;
  return [{ code: 'phases_change', key: null, message }];
}

function addOnsChange(from: PlanVersion, to: PlanVersion): Notice[] {
  const keys = ({ addOns }: PlanVersion): string[] => (addOns ?? []).map(({ key }) => key);
  const [before, after] = [keys(from), keys(to)];
  return [
    ...after
      .filter((key) => !before.includes(key))
      .map((key) => ({ code: 'add_on_added' as const, key, message: `${key} can be taken` })),
    ...before
      .filter((key) => !after.includes(key))
      .map((key) => ({ code: 'add_on_removed' as const, key, message: `${key} cannot be taken any more` })),
  ];
}

function boundsChange(from: PlanVersion, to: PlanVersion, currency: string): Notice[] {
  const inCurrency = (bound: PlanBound | null): unknown =>
    bound && { ...bound, amount: bound.amount[currency] };
  const bounds = (version: PlanVersion): string => {
    const all = version.phases.map((phase) => boundsIn(version, phase));
    const texts = all.map(({ minimum, maximum }) => plainText([minimum, maximum].map(inCurrency)));
    return [...new Set(texts)].sort().join();
  };
  if (bounds(from) === bounds(to)) return [];
  return [{ code: 'bounds_change', key: null, message: 'the least or most that is due in a period changes' }];
}

/** One text for what means the same: fields in order, and without those that say nothing. */
const plainText = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part)
            .filter(([, each]) => each != null)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : part,
  ) ?? 'null';
