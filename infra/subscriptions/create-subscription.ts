import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import { isTimeZone, timeZone } from '#domain/calendar/time-zone.ts';
import type { Instant } from '#domain/instant.ts';
import { SUBSCRIPTIONS_PER_CUSTOMER_MAX } from '#domain/limits.ts';
import type { PlanVersion } from '#domain/plans/plan-version.ts';
import { checkOptional, violation } from '#domain/pricing/check-number.ts';
import type { Effect } from '#domain/subscriptions/effect.ts';
import { planStart } from '#domain/subscriptions/plan-start.ts';
import { planVersions } from '#domain/subscriptions/plan-versions.ts';
import type { Alignment, ChargeOverride } from '#domain/subscriptions/subscription.ts';
import type { Violation } from '#domain/violation.ts';
import { checkMetadata } from '#infra/customers/customer-definition.ts';
import { liveCustomer } from '#infra/customers/put-customer.ts';
import type { CustomerRow } from '#infra/customers/tables.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { offeredVersion } from '#infra/plans/read-plans.ts';
import { checkSellerLives, onlySeller } from '#infra/sellers/read-sellers.ts';
import { checkOverriddenPrices } from './check-overrides.ts';
import { refusal, SubscriptionError } from './errors.ts';
import { listSubscriptions, type StoredSubscription } from './read-subscriptions.ts';
import { writeSubscription } from './write-subscription.ts';

/** What a user says of a new subscription. */
export interface SubscriptionRequest {
  readonly plan: string;
  /** The newest active one where none is named. */
  readonly version?: number | undefined;
  /** Now where nothing is said; as far back as the limits say. */
  readonly startAt?: Instant | undefined;
  readonly endAt?: Instant | undefined;
  /** The customer's, and the plan's where it has only one. */
  readonly currency?: string | undefined;
  /** IANA name; the customer's. */
  readonly timezone?: string | undefined;
  /** `own`. With `customer`, periods are counted from the customer's anchor in the customer's zone. */
  readonly alignment?: Alignment | undefined;
  /** `start`. */
  readonly anchor?: AnchorChoice | undefined;
  /** The customer's, and the namespace's where it has only one. */
  readonly seller?: string | undefined;
  readonly quantities?: Readonly<Record<string, string>> | undefined;
  readonly overrides?: Readonly<Record<string, ChargeOverride>> | undefined;
  readonly addOns?: Readonly<Record<string, string>> | undefined;
  readonly spendThreshold?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface CreateSubscription {
  readonly namespace: string;
  readonly customer: string;
  /** A UUID that nothing else has. */
  readonly id: string;
  readonly request: SubscriptionRequest;
  readonly now: Instant;
}

/** What a change did, or would do. */
export interface ChangedSubscription {
  readonly subscription: StoredSubscription;
  readonly effects: readonly Effect[];
}

/**
 * Subscribes a customer to a plan. Throws `SubscriptionError`: `invalid_subscription` with every violation, `too_many_subscriptions`;
 * `CustomerError`: `customer_not_found`, `customer_archived`; `PlanError`: `plan_not_found`, `plan_archived`, `plan_version_not_found`,
 * `plan_version_not_active`; `SellerError`: `seller_not_found`, `seller_needed`.
 */
export async function createSubscription(
  tx: Transaction,
  { namespace, customer, id, request, now }: CreateSubscription,
): Promise<ChangedSubscription> {
  const owner = await liveCustomer(tx, { namespace, key: customer });
  const [version, seller] = await Promise.all([
    offeredVersion(tx, namespace, request),
    sellerOf(tx, owner, request),
    checkRoom(tx, namespace, customer),
  ]);
  const whole = { ...wholeRequest(owner, request, version), id, seller };
  const planned = planStart(whole, { versions: planVersions([version]), now });
  const faults = [...checkRequest(owner, request), ...('faults' in planned ? planned.faults : [])];
  if ('faults' in planned || faults.length > 0) throw refusal('invalid_subscription', faults);
  const unserved = await checkOverriddenPrices(tx, namespace, { ...whole, version });
  if (unserved.length > 0) throw refusal('invalid_subscription', unserved);
  const metadata = request.metadata ?? {};
  const stored = { ...planned.subscription, metadata, createdAt: now, updatedAt: now };
  writeSubscription(tx, namespace, undefined, stored);
  return { subscription: stored, effects: planned.effects };
}

async function sellerOf(from: Reads, owner: CustomerRow, request: SubscriptionRequest): Promise<string> {
  const { namespace } = owner;
  const key = request.seller ?? owner.seller ?? (await onlySeller(from, namespace));
  await checkSellerLives(from, { namespace, key, pointer: '/seller' });
  return key;
}

/** Those that have ended count too: whoever bills a customer reads them all. */
async function checkRoom(from: Reads, namespace: string, customer: string): Promise<void> {
  const limit = SUBSCRIPTIONS_PER_CUSTOMER_MAX;
  const known = await listSubscriptions(from, { namespace, customer }, { limit });
  if (known.length >= limit)
    throw new SubscriptionError(
      'too_many_subscriptions',
      `${customer} has ${limit} subscriptions, and may have no more: change one of them`,
    );
}

/** What the timeline cannot judge. */
function checkRequest(owner: CustomerRow, request: SubscriptionRequest): Violation[] {
  const { timezone, alignment, anchor, metadata = {} } = request;
  const isAligned = alignment === 'customer';
  return [
    ...(timezone === undefined || isTimeZone(timezone)
      ? []
      : [violation('/timezone', 'unknown_time_zone', 'is no IANA time zone')]),
    ...(isAligned && timezone !== undefined && timezone !== owner.timezone
      ? [violation('/timezone', 'timezone_of_customer', `is the customer’s, ${owner.timezone}: leave it out`)]
      : []),
    ...(isAligned && anchor !== undefined
      ? [
          violation(
            '/anchor',
            'anchor_of_customer',
            'is the customer’s: leave it out, or align it on its own',
          ),
        ]
      : []),
    ...checkSpendThreshold(request.spendThreshold),
    ...checkMetadata(metadata),
  ];
}

export const checkSpendThreshold = (text: string | null | undefined): Violation[] =>
  checkOptional('/spendThreshold', text, 'positive');

/** What periods are counted from that are aligned with the customer. */
export const alignedAnchor = ({ billingAnchor }: Pick<CustomerRow, 'billingAnchor'>): AnchorChoice =>
  billingAnchor ?? 'calendar';

/** With every default in it. A zone that there is not is told by `checkRequest`: nothing else should be for want of one. */
function wholeRequest(owner: CustomerRow, request: SubscriptionRequest, version: PlanVersion) {
  const { alignment = 'own', anchor = 'start', timezone = owner.timezone } = request;
  const [only, ...others] = version.currencies;
  const soleCurrency = others.length === 0 ? only : undefined;
  return {
    customer: owner.key,
    plan: version.plan,
    version: version.version,
    // None that the plan has: the choice is refused, naming those it has.
    currency: request.currency ?? owner.currency ?? soleCurrency ?? '',
    timezone: isTimeZone(timezone) ? timeZone(timezone).name : owner.timezone,
    alignment,
    anchor: alignment === 'customer' ? alignedAnchor(owner) : anchor,
    startAt: request.startAt ?? ('now' as const),
    endAt: request.endAt ?? null,
    quantities: request.quantities ?? {},
    overrides: request.overrides ?? {},
    addOns: request.addOns ?? {},
    spendThreshold: request.spendThreshold ?? null,
  };
}
