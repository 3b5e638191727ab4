/** A service by dates, of which the last one counts, in a period of so many days. */
export interface Days {
  readonly service_from_date: string;
  readonly service_to_date_inclusive: string;
  readonly period_days: string;
  readonly timezone?: string;
}
export interface Recurrence {
  readonly anchor: string;
  readonly interval: string;
  readonly timezone?: string;
}

/** What each kind of case gives. */
export interface Inputs {
  readonly cycle_count: {
    readonly start: string;
    readonly end: string | null;
    readonly target: string;
    readonly billing_day: string;
    readonly period_months: string;
  };
  readonly fraction: {
    readonly from: string;
    readonly to: string;
    readonly period: string;
    readonly side: 'leading' | 'trailing';
    readonly fixed_days_per_month: string | null;
  };
  readonly fixed_month_days: {
    readonly from: string;
    readonly to: string;
    readonly fixed_days_per_month: string;
  };
  readonly amount_duration_ratio: {
    readonly amount: string;
    readonly currency: string;
    readonly proration_enabled: boolean;
    readonly service_from: string;
    readonly service_to: string;
    readonly full_from: string;
    readonly full_to: string;
  };
  readonly amount_inclusive_days: Days & {
    readonly amount: string;
    readonly currency: string;
    readonly trial_days?: string;
    readonly trial_start_date?: string;
    readonly excluded_last_day?: boolean;
  };
  readonly unused_credit_inclusive_days: {
    readonly amount: string;
    readonly currency: string;
    readonly period_from: string;
    readonly period_to_inclusive: string;
    readonly terminated_on: string;
    readonly period_days: string;
    readonly timezone?: string;
  };
  readonly coefficient_inclusive_days: Days;
  readonly day_count_timezone: { readonly from: string; readonly to: string; readonly timezone?: string };
  readonly period_at: Recurrence & { readonly at: string };
  readonly first_period: Recurrence & { readonly start: string };
  readonly previous_occurrence: Recurrence & {
    readonly at: string;
    readonly boundary: 'inclusive' | 'exclusive';
  };
  readonly advance_periods: { readonly start: string; readonly interval: string; readonly count: string };
  readonly whole_periods_between: { readonly from: string; readonly to: string; readonly interval: string };
  readonly add_duration: { readonly start: string; readonly duration: string; readonly timezone?: string };
  readonly prorated_tier_walk: {
    readonly tiers: readonly { readonly up_to: string | null; unit_price: string; flat_fee: string }[];
    readonly events: readonly { readonly full: string; readonly prorated: string }[];
    readonly scale: string;
    readonly rounding: string;
  };
  readonly prorated_sum: {
    readonly carried_in: string;
    readonly period_days: string;
    readonly events: readonly { readonly value: string; readonly remaining_days_inclusive: string }[];
  };
  readonly prorated_unique_count: {
    readonly period_days: string;
    readonly active_days_per_item: readonly string[];
  };
}
