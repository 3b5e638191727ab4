import { readFileSync } from 'node:fs';

/** Amounts of lines and invoices as other systems' tests have them. */

interface Case<K extends string, I, E> {
  readonly id: string;
  readonly kind: K;
  readonly source: string;
  readonly system: string;
  readonly input: I;
  readonly expected: E;
}

export interface CouponFacts {
  readonly type: 'fixed' | 'percentage';
  readonly amount?: string;
  readonly already_used?: string;
  readonly percentage?: string;
  readonly applies_to_fees?: readonly string[];
}

export interface FeeFacts {
  readonly id: string;
  readonly amount: string;
  readonly tax_rates?: readonly string[];
}

export interface AllocationFacts {
  readonly amount: string;
  readonly scale: string;
  readonly items: readonly { readonly key: string; readonly weight: string }[];
}

export type LineAdjustments = Case<
  'line_adjustments',
  {
    readonly currency: string;
    readonly line_amounts: readonly string[];
    readonly previously_billed: string;
    readonly percentage_discount?: string;
    readonly maximum_amount?: string;
    readonly minimum_amount?: string;
  },
  { readonly line_totals: readonly string[]; readonly minimum_line?: string; readonly total: string }
>;
export type Rounded = Case<
  'round',
  { readonly amount: string; readonly scale: string },
  { readonly amount: string }
>;
export type Allocated = Case<
  'allocate',
  AllocationFacts,
  { readonly allocations: Readonly<Record<string, string>> }
>;
export type Rejected = Case<'rejects', AllocationFacts, { readonly error: string }>;
export type Coupons = Case<
  'coupons',
  {
    readonly currency: string;
    readonly fees: readonly FeeFacts[];
    readonly coupons: readonly CouponFacts[];
  },
  {
    readonly coupon_total: string;
    readonly per_fee?: readonly string[];
    readonly subtotal_after_coupons?: string;
    readonly coupons_used?: string;
  }
>;
export type TaxOnFee = Case<
  'tax_on_fee',
  {
    readonly currency: string;
    readonly fee_amount: string;
    readonly coupon_on_fee: string;
    readonly tax_rates: readonly string[];
  },
  { readonly tax_total: string }
>;
export type Invoice = Case<
  'invoice',
  Coupons['input'],
  {
    readonly fees_total: string;
    readonly coupon_total?: string;
    readonly coupon_per_fee?: Readonly<Record<string, string>>;
    readonly tax_per_fee?: Readonly<Record<string, string>>;
    readonly tax_by_rate?: Readonly<Record<string, string>>;
    readonly subtotal?: string;
    readonly taxes_total: string;
    readonly total: string;
  }
>;
export type TrueUp = Case<
  'true_up',
  { readonly currency: string; readonly minimum: string; readonly used: string },
  { readonly true_up: string }
>;
export type CommitmentTrueUp = Case<
  'commitment_true_up',
  {
    readonly currency: string;
    readonly commitment: string;
    readonly fees: readonly {
      readonly amount: string;
      readonly covers_period: 'current' | 'other' | 'next';
    }[];
  },
  { readonly true_up: string }
>;
/** About credits and credit notes, which do not exist yet. */
type Later = Case<'credits_on_lines' | 'credit_note_application' | 'credit_note_rounding', unknown, unknown>;

export type InvoiceVector =
  | LineAdjustments
  | Rounded
  | Allocated
  | Rejected
  | Coupons
  | TaxOnFee
  | Invoice
  | TrueUp
  | CommitmentTrueUp
  | Later;

export const invoiceVectors = JSON.parse(
  readFileSync(new URL('./discounts-tax-invoice.json', import.meta.url), 'utf8'),
) as InvoiceVector[];

/** Cases about credits and credit notes: they are answered once those exist. */
export const WAITING: ReadonlySet<string> = new Set([
  'inv-010',
  'inv-012',
  'inv-014',
  'inv-070',
  'inv-071',
  'inv-072',
  'inv-084',
  'inv-086',
]);

/** Cases that are answered otherwise here, with the reason. */
export const DEVIATIONS: Readonly<Record<string, string>> = {};
