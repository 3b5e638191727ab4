import type { InvoiceTotalsText } from '#domain/invoicing/invoice.ts';
import type { BilledLine } from '#domain/invoicing/invoice-inputs.ts';
import {
  column,
  defineTable,
  jsonColumn,
  nullable,
  type Table,
  nullableJson,
} from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/** Why an invoice waits for a decision: a stable code, and a sentence for whoever decides. */
export interface ParkReason {
  readonly code: string;
  readonly message: string;
}

/** What is to be known of an invoice without opening it; its content and inputs lie beside it in parts. */
export const invoice = defineTable('invoice', {
  columns: {
    namespace: column('string'),
    id: column('string'),
    /** Who pays. */
    customer: column('string'),
    currency: column('string'),
    seller: column('string'),
    kind: column('string'),
    /** The moment that everything on it was due. */
    date: column('timestamp'),
    /** From 1, among those of one payer, currency, seller, date and kind: a second one follows a void one, or a change that came later. */
    sequence: column('int64'),
    state: column('string'),
    /** Of a draft: none, where it was written by hand and waits to be issued. */
    parkedFor: jsonColumn<readonly ParkReason[]>(),
    /** The reasons that were looked at and let pass. */
    releasedFrom: jsonColumn<readonly ParkReason[]>(),
    totals: jsonColumn<InvoiceTotalsText>(),
    lineCount: column('int64'),
    contentHash: column('string'),
    inputsHash: column('string'),
    /** The subscriptions that have lines on it: theirs are the items that voiding it makes due again. */
    subscriptions: jsonColumn<readonly string[]>(),
    number: nullable('string'),
    issuedAt: nullable('timestamp'),
    /** Local dates of the seller, such as 2026-03-01. */
    issueDate: nullable('string'),
    dueDate: nullable('string'),
    /** By the id of a line, in hex; only of lines with events behind them. */
    merkleRoots: jsonColumn<Readonly<Record<string, string>>>(),
    paidAt: nullable('timestamp'),
    voidedAt: nullable('timestamp'),
    uncollectibleAt: nullable('timestamp'),
    /** The run that made it, if one did. */
    run: nullable('string'),
    createdAt: column('timestamp'),
    updatedAt: column('timestamp'),
  },
  key: ['namespace', 'id'],
  indexes: {
    byCustomer: { columns: ['namespace', 'customer', 'id'] },
    byState: { columns: ['namespace', 'state', 'id'] },
  },
  // Ids have the time in them, and a run makes invoices as fast as it can.
  spread: { by: ['namespace', 'id'], key: true, indexes: ['byState'] },
});

/** What was made of one due moment: whoever collects it again finds it. */
export const invoiceSlot = defineTable('invoice_slot', {
  columns: {
    namespace: column('string'),
    customer: column('string'),
    currency: column('string'),
    seller: column('string'),
    date: column('timestamp'),
    kind: column('string'),
    sequence: column('int64'),
    invoice: column('string'),
  },
  key: ['namespace', 'customer', 'currency', 'seller', 'date', 'kind', 'sequence'],
});

const parts = {
  namespace: column('string'),
  invoice: column('string'),
  /** From 0; the texts joined in order are one JSON document. */
  part: column('int64'),
  text: column('string'),
} as const;

/** What an invoice says: an `InvoiceContent`. */
export const invoiceContent = defineTable('invoice_content', {
  columns: parts,
  key: ['namespace', 'invoice', 'part'],
  spread: { by: ['namespace', 'invoice'], key: true },
});

/** What it is a function of: the canonical text of an `InvoiceInputs`, as it was hashed. */
export const invoiceInput = defineTable('invoice_input', {
  columns: parts,
  key: ['namespace', 'invoice', 'part'],
  spread: { by: ['namespace', 'invoice'], key: true },
});

/** What of one item is on documents, so that what is due of it is only billed once. */
export const billedItem = defineTable('billed_item', {
  columns: {
    namespace: column('string'),
    subscription: column('string'),
    periodFrom: column('timestamp'),
    item: column('string'),
    kind: column('string'),
    periodTo: column('timestamp'),
    /** How far it is billed; below its end it was billed before its period was over. */
    through: column('timestamp'),
    /** Of the item as it was billed last: another one says that a change has to be settled. */
    itemHash: column('string'),
    /** Of all invoices that are not void, in their order. */
    lines: jsonColumn<readonly BilledLine[]>(),
  },
  key: ['namespace', 'subscription', 'periodFrom', 'item'],
});

/** How far a subscription is billed. Whoever changes what is billed of it raises the revision, so that two never do at once. */
export const subscriptionBilling = defineTable('subscription_billing', {
  columns: {
    namespace: column('string'),
    subscription: column('string'),
    revision: column('int64'),
    /** As the subscription stood at `termsHash` all that was due by then is on documents; null: nothing is known to be. */
    settledThrough: nullable('timestamp'),
    termsHash: column('string'),
  },
  key: ['namespace', 'subscription'],
});

/** The next number of a seller's series in a year. */
export const numberSeries = defineTable('number_series', {
  columns: {
    namespace: column('string'),
    seller: column('string'),
    series: column('string'),
    year: column('int64'),
    next: column('int64'),
  },
  key: ['namespace', 'seller', 'series', 'year'],
});

/** What a run, or a part of one, has done. Amounts are decimal text by currency. */
export interface RunCounts {
  /** Payers that were looked at. */
  readonly customers: number;
  readonly invoices: number;
  /** Of these the ones that wait for a decision. */
  readonly parked: number;
  /** Payers who could not be billed. */
  readonly failed: number;
  readonly lines: number;
  /** Of the invoices the ones that have their numbers already. */
  readonly issued: number;
  readonly amounts: Readonly<Record<string, string>>;
}

/** A payer who could not be billed, and why. */
export interface PayerFailure extends ParkReason {
  readonly customer: string;
}

/** A run over the customers of a namespace. Its parts are taken one after the other, by any number of workers. */
export const invoiceRun = defineTable('invoice_run', {
  columns: {
    namespace: column('string'),
    id: column('string'),
    state: jsonColumn<RunState>(),
    asOf: column('timestamp'),
    dryRun: column('bool'),
    /** Who pays for those that were named; null: everybody. */
    payers: nullableJson<readonly string[]>(),
    /** The last customer that a part was made for; null before the first. */
    cursor: nullable('string'),
    /** No customer is left for a further part. */
    exhausted: column('bool'),
    /** How many there are. */
    parts: column('int64'),
    /** Of all parts, once the run has ended. */
    counts: nullableJson<RunCounts>(),
    /** By its parts and at its end, once it has ended. */
    issued: column('int64'),
    createdAt: column('timestamp'),
    finishedAt: nullable('timestamp'),
  },
  key: ['namespace', 'id'],
});

export const RUN_STATES = ['running', 'done'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The runs that are not done: there are few, and whoever starts looks for them. */
export const openRun = defineTable('invoice_run_open', {
  columns: { namespace: column('string'), run: column('string') },
  key: ['namespace', 'run'],
});

/** Some payers of a run in the hands of one worker: while it lives it moves the end of its lease. */
export const invoiceRunPart = defineTable('invoice_run_part', {
  columns: {
    namespace: column('string'),
    run: column('string'),
    /** From 0. */
    part: column('int64'),
    payers: jsonColumn<readonly string[]>(),
    isDone: column('bool'),
    worker: column('string'),
    leaseUntil: column('timestamp'),
    counts: jsonColumn<RunCounts>(),
    /** Ids of invoices that wait for a decision. */
    parked: jsonColumn<readonly string[]>(),
    failures: jsonColumn<readonly PayerFailure[]>(),
  },
  key: ['namespace', 'run', 'part'],
});

export type InvoiceRow = Row<typeof invoice>;
export type BilledItemRow = Row<typeof billedItem>;
export type SubscriptionBillingRow = Row<typeof subscriptionBilling>;
export type InvoiceRunRow = Row<typeof invoiceRun>;
export type InvoiceRunPartRow = Row<typeof invoiceRunPart>;

export const INVOICING_TABLES: readonly Table<object>[] = [
  invoice,
  invoiceSlot,
  invoiceContent,
  invoiceInput,
  billedItem,
  subscriptionBilling,
  numberSeries,
  invoiceRun,
  openRun,
  invoiceRunPart,
];
