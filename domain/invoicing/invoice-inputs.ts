import type { TimeWindow } from '../calendar/window.ts';
import type { Instant } from '../instant.ts';
import type { TaxRateText } from '../plans/tax-rate-text.ts';
import type { Dimensions } from '../pricing/usage.ts';
import type { BillingItem } from '../subscriptions/billing-item.ts';
import type { InvoiceLine } from './invoice.ts';
import type { Prices } from './tax.ts';

/**
 * Everything that an invoice is a function of, as plain data: it is stored with the invoice, hashed, and gives the same content whenever it is
 * computed again. What is read of the world (usage, plans, customers, rates) is in here as it was.
 */
export interface InvoiceInputs {
  /** Rises when the same inputs would be computed otherwise. */
  readonly rules: 1;
  readonly kind: InvoiceKind;
  readonly currency: string;
  /** Whose calendar the document is in. */
  readonly timezone: string;
  readonly seller: Seller;
  /** Who pays; its children's subscriptions are on the invoice too. */
  readonly customer: Buyer;
  /** The moment that everything on it was due. */
  readonly date: Instant;
  /** Null where no usage is on it. */
  readonly usage: UsageRead | null;
  readonly subscriptions: readonly SubscriptionInputs[];
  /** Of a one-off invoice, or added by hand: they are billed as they are. */
  readonly extraLines: readonly ExtraLine[];
}

/** Of when the usage on an invoice is, and whose: with it the events behind any line are found again, whatever came later. */
export interface UsageRead {
  /** Through when usage was complete, and the watermark that says so. */
  readonly completeThrough: Instant;
  readonly asOf: Instant;
  /** The commit time of the snapshot that usage was read in (`Snapshot.at`): what was committed by then is in it, and nothing else. */
  readonly readAt: Instant;
  /** Of each customer on the invoice the subjects that were its own in some of the time that is billed, as it was. */
  readonly subjects: readonly CustomerSubjects[];
}

export interface CustomerSubjects {
  readonly customer: string;
  readonly subjects: readonly MeasuredSubject[];
}

/** A subject, and when its usage is the customer's: in order, `to` null where it goes on. */
export interface MeasuredSubject {
  readonly subject: string;
  readonly intervals: readonly { readonly from: Instant; readonly to: Instant | null }[];
}

export const INVOICE_KINDS = ['period', 'threshold', 'oneOff'] as const;
export type InvoiceKind = (typeof INVOICE_KINDS)[number];

export interface Address {
  readonly line1: string;
  readonly line2?: string | null;
  readonly city: string;
  readonly region?: string | null;
  readonly postalCode?: string | null;
  /** ISO 3166-1, two letters. */
  readonly country: string;
}

/** A tax or registration id, such as a VAT id with scheme `vat`. */
export interface PartyId {
  readonly scheme: string;
  readonly id: string;
}

/** The legal entity that an invoice comes from, as it was. */
export interface Seller {
  readonly key: string;
  readonly name: string;
  readonly address: Address | null;
  readonly email: string | null;
  readonly ids: readonly PartyId[];
  /** Whether its prices have the tax in them. */
  readonly prices: Prices;
  readonly taxRates: readonly TaxRateText[] | null;
  /** Days from the issue to the due date where the customer has none of its own. */
  readonly netTermDays: number;
  /** How to pay, as it is printed: bank account, reference. */
  readonly paymentInstructions: string | null;
}

/** Who an invoice is for, as it was. */
export interface Buyer {
  readonly key: string;
  readonly name: string;
  readonly address: Address | null;
  readonly email: string | null;
  readonly ids: readonly PartyId[];
  readonly taxRates: readonly TaxRateText[] | null;
  readonly netTermDays: number | null;
  readonly purchaseOrder: string | null;
}

export interface SubscriptionInputs {
  readonly id: string;
  /** Whose subscription it is: the one who pays or one of its children. */
  readonly customer: { readonly key: string; readonly name: string };
  readonly timezone: string;
  readonly items: readonly ItemInputs[];
  /**
   * What earlier invoices have of items that are not here, for time within the whole period (`period.period`) of a minimum or maximum that is
   * here: it counts toward them (`spentLinesOf`). Empty where neither is.
   */
  readonly spentBefore: readonly SpentLine[];
}

/** What lines of one item for the same time come to together, over all invoices. */
export interface SpentLine {
  readonly item: string;
  readonly kind: BillingItem['kind'];
  readonly period: TimeWindow;
  readonly amount: string;
}

/** An item that was billed and is no longer in its subscription's timeline: nothing is due for it. */
export interface GoneItem {
  readonly kind: 'gone';
  readonly id: string;
}

/** One item, what was used of it, and what of it is on documents already. */
export interface ItemInputs {
  readonly item: BillingItem | GoneItem;
  /** How far it is billed: its end, or, of one that goes on, an earlier moment, up to which it is the beginning of itself. */
  readonly through: Instant;
  /** Of each segment of a charge that begins before `through`, in order, up to `through`. Empty where the item is no charge. */
  readonly usage: readonly MeasuredUsage[];
  /** The lines that are on invoices already, in their order. What is due now is what it all comes to, less these. */
  readonly billed: readonly BilledLine[];
}

/** A measurement as it was: quantities as decimal text, fingerprints in hex. */
export type MeasuredUsage =
  | { readonly kind: 'none' }
  | { readonly kind: 'seats'; readonly seats: string }
  | (OfMeter & { readonly kind: 'quantity'; readonly quantity: string; readonly fingerprint: string })
  | (OfMeter & {
      readonly kind: 'groups';
      readonly groups: readonly {
        readonly dimensions: Dimensions;
        readonly quantity: string;
        readonly fingerprint: string;
      }[];
    })
  | (OfMeter & {
      readonly kind: 'events';
      readonly events: readonly { readonly value: string; readonly dimensions?: Dimensions }[];
      readonly fingerprint: string;
    });

export interface OfMeter {
  readonly meter: string;
  readonly meterVersion: number;
  /** Quantities say something of the whole time that was measured and do not add up (`addsUp`): of a part of a period that part of them counts. */
  readonly isLevel?: true;
}

/** A line as it stands on an invoice: what is billed again of its item is billed less this. */
export interface BilledLine extends Pick<
  InvoiceLine,
  | 'kind'
  | 'charge'
  | 'plan'
  | 'planVersion'
  | 'description'
  | 'period'
  | 'quantity'
  | 'unitPrice'
  | 'amount'
  | 'taxes'
> {
  /** The id of the invoice, and that of the line on it. */
  readonly invoice: string;
  readonly line: string;
  readonly dimensions?: Dimensions | undefined;
  /** Of what was given back: what of it is due all the same, and for when. */
  readonly stillDue?: readonly { readonly period: TimeWindow; readonly amount: string }[] | undefined;
}

export interface ExtraLine {
  readonly description: string;
  readonly period: TimeWindow;
  readonly quantity: string | null;
  readonly unitPrice: string | null;
  readonly amount: string;
  readonly taxRates: readonly TaxRateText[] | null;
}
