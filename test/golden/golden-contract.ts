import type { Instant } from '#domain/instant.ts';
import type { ExtraLine } from '#domain/invoicing/invoice-inputs.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import type { CustomerDefinition } from '#infra/customers/customer-definition.ts';
import type { SellerDefinition } from '#infra/sellers/seller-definition.ts';
import type { ChangeRequest } from '#infra/subscriptions/change-subscription.ts';
import type { SubscriptionRequest } from '#infra/subscriptions/create-subscription.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';

/** A contract as people make it, what happens under it, and what it comes to by hand. */
export interface GoldenContract {
  readonly title: string;
  /** When everything below is saved. */
  readonly startsAt: string;
  readonly meters?: Readonly<Record<string, MeterDefinition>>;
  /** Of each plan its versions in order; the newest is the one that is sold. */
  readonly plans?: Readonly<Record<string, readonly PlanVersionDefinition[]>>;
  readonly sellers?: Readonly<Record<string, SellerDefinition>>;
  readonly customers: Readonly<Record<string, CustomerDefinition>>;
  /** In order of time. */
  readonly steps: readonly Step[];
  /** The invoices that come of it, in order. */
  readonly invoices: readonly Arithmetic[];
}

/**
 * What one invoice says, worked out by hand. A line is `<what>: <sum>`; what it is of comes first, and the sum is computed again, exactly, and
 * rounded once to the minor unit of the currency, half away from zero. See `labelOf` for how a line is named.
 */
export interface Arithmetic {
  /** Of what time and why, in words. */
  readonly of: string;
  readonly lines: readonly string[];
  /** One for each tax: `vat DE 19%: 120.00 × 0.19 = 22.80`. */
  readonly taxes?: readonly string[];
  /** Of the net and the tax, or, with prices that include it, of the lines. */
  readonly total: string;
}

/** One thing that happens. */
export type Step = { readonly at: string } & (
  | { readonly do: 'use'; readonly subject: string; readonly type: string; readonly data: EventData }
  | {
      readonly do: 'subscribe';
      readonly customer: string;
      readonly as: string;
      readonly request: SubscriptionRequest;
    }
  | { readonly do: 'change'; readonly subscription: string; readonly change: ChangeRequest }
  | { readonly do: 'run' }
  | { readonly do: 'write'; readonly customer: string; readonly lines: readonly ExtraLine[] }
);

export type EventData = Readonly<Record<string, string>>;

/** An event at the time at which it happened; it is published and committed a second later. */
export const use = (subject: string, type: string, at: string, data: EventData = {}): Step => ({
  do: 'use',
  subject,
  type,
  at,
  data,
});

/** A subscription; what is done with it later names it as it is called here. */
export const subscribe = (at: string, customer: string, as: string, request: SubscriptionRequest): Step => ({
  do: 'subscribe',
  at,
  customer,
  as,
  request,
});

export const change = (at: string, subscription: string, asked: ChangeRequest): Step => ({
  do: 'change',
  at,
  subscription,
  change: asked,
});

/** A run of invoices: all that is due by then is collected, written and issued. */
export const run = (at: string): Step => ({ do: 'run', at });

/** An invoice that is written by hand, and issued. */
export const write = (at: string, customer: string, lines: readonly ExtraLine[]): Step => ({
  do: 'write',
  at,
  customer,
  lines,
});

export const time = (text: string): Instant => instant(text);
