import { MICROS_PER_DAY, MICROS_PER_MINUTE } from './instant.ts';

/** The limits of the contract, in one place. What exceeds one gets a clear error that names it. */

/** id, source, type, subject: bytes of UTF-8 each. */
export const NAME_BYTES_MAX = 256;
/** `data` in canonical form, bytes of UTF-8. */
export const DATA_BYTES_MAX = 64 * 1_024;
/** A whole message as published. Anything larger cannot hold an event within the other limits and is not even parsed. */
export const MESSAGE_BYTES_MAX = 1_024 * 1_024;

export const METER_DIMENSIONS_MAX = 10;
export const DIMENSION_VALUE_BYTES_MAX = 256;
export const METERS_PER_EVENT_TYPE_MAX = 200;
/** Versions that one meter ever has. */
export const VERSIONS_PER_METER_MAX = 1_000;
export const FILTER_BYTES_MAX = 1_024;
/** A dotted path into `data` cannot be deeper than `data` itself. */
export const PATH_SEGMENTS_MAX = 8;
export const PATH_BYTES_MAX = 256;
export const METER_NAME_BYTES_MAX = 256;

/** An event may be this much older than its message. */
export const HORIZON_MICROS = 45 * MICROS_PER_DAY;
/** An event may be this far ahead of its message. */
export const FUTURE_MICROS = 5 * MICROS_PER_MINUTE;

export const DISTINCT_VALUES_PER_QUERY_MAX = 100_000;
/** Events that a calculator of usage takes in one call. */
export const EVALUATION_EVENTS_MAX = 10_000;
/** Rows, and windows, that a calculator of usage answers. */
export const EVALUATION_ROWS_MAX = 10_000;

/** Subjects that a question about usage names. */
export const SUBJECTS_PER_QUERY_MAX = 100;
/** Rows of usage in one answer; the next page goes on after the last. */
export const USAGE_PAGE_ROWS_MAX = 10_000;
/** Rows of usage that are streamed as one answer. */
export const USAGE_STREAM_ROWS_MAX = 1_000_000;

/** Dead letters that one call publishes again. */
export const REPLAYED_LETTERS_MAX = 10_000;
/** Dead letters that one transaction dismisses, which with their index entries is within the mutations of a commit. */
export const DISMISSED_LETTERS_MAX = 5_000;

/** Events that one correction changes. */
export const CORRECTION_EVENTS_MAX = 1_000_000;
/** Subjects that a correction names, or that the customer it names ever had. */
export const CORRECTION_SUBJECTS_MAX = 1_000;
/** Numbers of an event that one amendment multiplies. */
export const CORRECTION_FACTORS_MAX = 10;
/** Parts of one import: each is one request. */
export const IMPORT_PARTS_MAX = 20_000;
/** Events, and refused lines with them, of one part. */
export const IMPORT_PART_LINES_MAX = 50_000;
/** Why something is corrected or imported, in characters. */
export const REASON_LENGTH_MAX = 1_000;

/** Mutations of one commit, counted as Spanner does: one per column written plus one per index entry. */
export const MUTATIONS_PER_COMMIT_MAX = 60_000;

/** One HTTP request that carries events. */
export const HTTP_BODY_BYTES_MAX = 5_000_000;
export const HTTP_EVENTS_MAX = 1_000;

export const API_KEYS_PER_NAMESPACE_MAX = 256;
export const API_KEY_NAME_BYTES_MAX = 256;

export const SUBJECTS_PER_CUSTOMER_MAX = 1_000;
/** Subjects that a customer owns or ever owned: what a question about its past has to read. */
export const SUBJECTS_EVER_PER_CUSTOMER_MAX = 5_000;
export const INTERVALS_PER_SUBJECT_MAX = 100;
/** A customer, its parent, the parent's parent, and so on. */
export const CUSTOMER_LEVELS_MAX = 5;
/** Customers below one that gets a parent itself. */
export const CUSTOMERS_BELOW_MAX = 1_000;
export const CUSTOMER_NAME_BYTES_MAX = 256;
export const EMAIL_BYTES_MAX = 254;
export const METADATA_ENTRIES_MAX = 50;
export const METADATA_KEY_BYTES_MAX = 64;
export const METADATA_VALUE_BYTES_MAX = 512;

export const FEATURE_NAME_BYTES_MAX = 256;
export const UNIT_BYTES_MAX = 64;

export const EVENT_TYPES_WITH_SCHEMA_MAX = 1_000;
export const SCHEMA_BYTES_MAX = 16 * 1_024;
export const SCHEMA_DEPTH_MAX = 32;
/** Keywords of a schema with every `$ref` written out: what judging one value may cost. */
export const SCHEMA_KEYWORDS_MAX = 500;
export const PATTERN_BYTES_MAX = 256;

export const LIMITS_PER_FEATURE_MAX = 20;
/** Features of one customer that have limits: what a commit looks through for an event of that customer. */
export const LIMITED_FEATURES_PER_CUSTOMER_MAX = 200;
/** A rolling window is a minute at least, and whole minutes. */
export const ROLLING_WINDOW_MICROS_MAX = 7 * MICROS_PER_DAY;
/** A rolling window is kept in at most so many steps, of a minute at least. */
export const ROLLING_STEPS_MAX = 300;
export const RESERVATION_TTL_SECONDS_MIN = 1;
export const RESERVATION_TTL_SECONDS_MAX = 86_400;
/** Of one customer and feature: reservations whose event has not come and that have not lapsed. */
export const OPEN_HOLDS_MAX = 100_000;
export const ENTITLEMENT_CHECKS_MAX = 100;

export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;
/** An answer that is kept for repetitions of its request. */
export const REMEMBERED_ANSWER_BYTES_MAX = 1_024 * 1_024;

/** Decimals of a custom unit; the minor units of ISO 4217 have at most 4. */
export const CURRENCY_DECIMALS_MAX = 18;

/** Billing periods that a calculator answers. */
export const EVALUATED_PERIODS_MAX = 1_000;
/** Decimals of a fraction that a calculator answers. */
export const FRACTION_DECIMALS_MAX = 30;

/** Tiers of one price. */
export const TIERS_PER_PRICE_MAX = 1_000;
export const MATRIX_CELLS_MAX = 10_000;
/** Prices by date of one charge. */
export const RATES_PER_CHARGE_MAX = 100;
/** Events behind a line that is priced event by event. */
export const EVENTS_PER_LINE_MAX = 1_000_000;
/** Events or groups that a calculator of prices takes in one call. */
export const PRICE_EVALUATION_USAGE_MAX = 10_000;
/** Groups times tiers in one such call. */
export const PRICE_EVALUATION_PARTS_MAX = 20_000;
/** Points of one price curve, without those where it bends. */
export const PRICE_CURVE_POINTS_MAX = 1_000;

export const LINES_PER_INVOICE_MAX = 10_000;
/** Lines of an invoice that is written by hand. */
export const EXTRA_LINES_MAX = 200;
/** Customers that an invoice run names; without names it is for all. */
export const INVOICE_RUN_CUSTOMERS_MAX = 1_000;
/** Charges that are billed together, as those of one plan version are. */
export const CHARGES_PER_BILL_MAX = 100;
/** Segments of all these charges together: each asks for usage of its own. */
export const SEGMENTS_PER_BILL_MAX = 1_000;
export const COUPONS_PER_INVOICE_MAX = 20;
export const COMMITMENTS_PER_INVOICE_MAX = 100;
export const TAX_RATES_PER_LINE_MAX = 10;
/** The code, jurisdiction or exemption of a tax. */
export const TAX_CODE_BYTES_MAX = 64;

export const PLAN_NAME_BYTES_MAX = 256;
/** Versions that one plan ever has. */
export const VERSIONS_PER_PLAN_MAX = 1_000;
export const CURRENCIES_PER_PLAN_MAX = 50;
export const PHASES_PER_PLAN_VERSION_MAX = 50;
export const ADD_ONS_PER_PLAN_VERSION_MAX = 50;
/** Charges of all phases and add-ons of one version together. */
export const CHARGES_PER_PLAN_VERSION_MAX = 100;
/** What a version sells, as JSON: it is kept in one row, and its answer is remembered for repetitions. */
export const PLAN_VERSION_BYTES_MAX = 900_000;
/** Charges and bounds of plans are due once a day at most. */
export const CADENCE_SECONDS_MIN = 86_400;

/** A subscription may begin or change so long ago: usage is kept by the minute for about as long. */
export const SUBSCRIPTION_BACKDATED_MICROS_MAX = 400 * MICROS_PER_DAY;
/** A subscription may begin, change or end so far ahead. */
export const SUBSCRIPTION_AHEAD_MICROS_MAX = 3_660 * MICROS_PER_DAY;
/** Terms that one subscription ever has, planned ones among them. */
export const TERMS_PER_SUBSCRIPTION_MAX = 1_000;
/** All terms of a subscription as JSON: they are kept in one row. */
export const SUBSCRIPTION_BYTES_MAX = 900_000;

/** A line of an address. */
export const ADDRESS_LINE_BYTES_MAX = 256;
export const POSTAL_CODE_BYTES_MAX = 32;
/** Tax and registration ids of a customer or a seller. */
export const PARTY_IDS_MAX = 20;
export const PARTY_ID_BYTES_MAX = 128;
export const NET_TERM_DAYS_MAX = 730;
export const PURCHASE_ORDER_BYTES_MAX = 128;
/** Of all lines together. */
export const PAYMENT_INSTRUCTIONS_BYTES_MAX = 2_048;
export const PAYMENT_INSTRUCTION_LINES_MAX = 20;
export const SELLERS_PER_NAMESPACE_MAX = 1_000;
/** Subscriptions that a customer ever has, those that have ended too: whoever bills it reads them all. */
export const SUBSCRIPTIONS_PER_CUSTOMER_MAX = 1_000;
/** Subscriptions that one call moves to another plan version; the next call goes on. */
export const MIGRATED_PER_CALL_MAX = 500;
/** Customers that one call of a migration names. */
export const MIGRATED_CUSTOMERS_MAX = 1_000;

/** A backfill reaches so many days back: cells of hours are kept for a little longer. */
export const BACKFILL_DAYS_MAX = 390;
/** Days that one reconciliation compares, and how far back: cells of hours are kept for a little longer. */
export const RECONCILED_DAYS_MAX = 396;
/** Subjects that a reconciliation names; without names it is for all. */
export const RECONCILED_SUBJECTS_MAX = 1_000;
/** Cells that one reconciliation reports, each with what it holds and should hold. All of them are counted. */
export const DIFFERENCES_REPORTED_MAX = 10_000;
/** A version of a meter that was switched away from is counted for so long: it can be switched back to. */
export const RETIRED_DAYS = 7;
