import { Decimal, toDecimalText } from '../money/decimal.ts';
import type { Instant } from '../instant.ts';
import { chargeIn } from '../plans/charge-in.ts';
import { withOverride } from '../plans/charge-override.ts';
import { chargeKind, type ChargeKind } from '../plans/plan-parts.ts';
import type { PlanCharge } from '../plans/plan-version.ts';
import type { PlanVersions } from './plan-versions.ts';
import { stretchAt, stretchesOf, type Stretch } from './stretch.ts';
import type { Subscription, Terms } from './subscription.ts';

/** A charge as a subscription pays it. */
export interface ChargeInForce {
  readonly kind: ChargeKind;
  /** In the subscription's currency, with its overrides. */
  readonly charge: PlanCharge;
  /** Of a fee: how many, all add-ons counted. Null: usage, or a flat fee that is due one time over. */
  readonly seats: string | null;
}

/** What is charged at a moment: nothing before the start, in a pause, and after the end. */
export function chargesAt(
  subscription: Subscription,
  versions: PlanVersions,
  at: Instant,
): readonly ChargeInForce[] {
  const stretch = stretchAt(stretchesOf(subscription, versions), at);
  return stretch === undefined || stretch.terms.paused ? [] : chargesIn(stretch, subscription.currency);
}

const ONE_TIME = '1';

/** The charges of a stretch, those of its phase first, whether or not it is paused. A fee of an add-on is due as often as that is taken; its usage is due once. */
export function chargesIn({ terms, version, phase }: Stretch, currency: string): ChargeInForce[] {
  const taken = (version.addOns ?? []).flatMap(({ key, charges }) => {
    const times = terms.addOns[key] ?? '0';
    return new Decimal(times).isZero() ? [] : charges.map((charge) => inForce(charge, times));
  });
  return [...phase.charges.map((charge) => inForce(charge, ONE_TIME)), ...taken];

  function inForce(given: PlanCharge, times: string): ChargeInForce {
    const charge = withOverride(chargeIn(currency, given), terms.overrides[given.key]);
    const kind = chargeKind(charge);
    return { kind, charge, seats: kind === 'usage' ? null : seatsOf(charge, terms, times) };
  }
}

function seatsOf(charge: PlanCharge, { quantities }: Terms, times: string): string | null {
  const seats = quantities[charge.key] ?? charge.seats ?? null;
  if (seats === null && times === ONE_TIME && isFlat(charge)) return null;
  return toDecimalText(new Decimal(seats ?? ONE_TIME).times(times));
}

const isFlat = ({ price, rates }: PlanCharge): boolean =>
  price.model === 'flat' && (rates ?? []).every((rate) => rate.price.model === 'flat');
