import { isTimeZone, timeZone } from '#domain/calendar/time-zone.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import { floorToMinute } from '#domain/instant.ts';
import { billUsage, type Bill } from '#domain/invoicing/bill-usage.ts';
import { checkBilledCharges, type BilledCharge } from '#domain/invoicing/check-billed-charges.ts';
import { InvoicingError } from '#domain/invoicing/invoicing-error.ts';
import { isIsoCurrency } from '#domain/money/currency.ts';
import type { Usage } from '#domain/pricing/usage.ts';
import { TooManyDistinctValuesError } from '#domain/usage/measure-distinct.ts';
import type { Violation } from '#domain/violation.ts';
import { CustomerError } from '#infra/customers/errors.ts';
import { subjectsOfCustomer } from '#infra/customers/own-subjects.ts';
import { customer as customerTable, type CustomerRow } from '#infra/customers/tables.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { readFreshness, type Freshness } from '#infra/usage/watermark.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { ChargesRefused } from './charges-refused.ts';
import { readChargeEvents } from './read-charge-events.ts';
import { readChargeUsage, type ChargeUsage } from './read-charge-usage.ts';

export interface ChargesQuestion {
  readonly namespace: string;
  readonly customer: string;
  readonly charges: readonly BilledCharge[];
  /** A whole billing period; both ends are moved down to their minute. */
  readonly from: number;
  readonly to: number;
  /** The customer's own where nothing is said. */
  readonly currency?: string | undefined;
  readonly timezone?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EvaluatedCharges extends Bill {
  readonly customer: string;
  readonly currency: string;
  readonly timezone: string;
  readonly period: TimeWindow;
  /** Absent while no feed has reported a watermark. */
  readonly freshness: Freshness | undefined;
  /** Some usage waits to be recomputed: it may be shown but not invoiced. */
  readonly dirty: boolean;
}

interface Stores {
  readonly database: Database;
  readonly warehouse: Pick<Warehouse, 'query'>;
}

/**
 * What a customer's real usage comes to with given charges; nothing is stored. Throws `CustomerError` (`customer_not_found`), and
 * `ChargesRefused` with every fault.
 */
export const evaluateCharges = (stores: Stores, question: ChargesQuestion): Promise<EvaluatedCharges> =>
  refusing(async () => {
    const period = { from: floorToMinute(question.from), to: floorToMinute(question.to) };
    const read = await inSnapshot(stores.database, (snapshot) => readAll(snapshot, question, period));
    const { currency, timezone } = read.terms;
    const usage = await withEvents(stores, question, read.usage);
    const bill = billUsage({ currency, timezone, period, charges: question.charges, usage });
    const { freshness } = read;
    return {
      ...bill,
      ...read.terms,
      customer: question.customer,
      period,
      freshness,
      dirty: read.usage.dirty,
    };
  });

/** What the core refuses is a fault of the question. */
async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvoicingError) throw new ChargesRefused(error.violations);
    if (error instanceof TooManyDistinctValuesError)
      throw new ChargesRefused([{ pointer: '/to', code: error.code, message: error.message }]);
    throw error;
  }
}

interface Terms {
  readonly currency: string;
  readonly timezone: string;
}

async function readAll(
  snapshot: Reads,
  question: ChargesQuestion,
  period: TimeWindow,
): Promise<{ terms: Terms; usage: ChargeUsage; freshness: Freshness | undefined }> {
  const { namespace, charges, signal } = question;
  const [row] = await snapshot.read(customerTable, [[namespace, question.customer]]);
  if (!row) throw new CustomerError('customer_not_found', `there is no customer ${question.customer}`);
  const terms = termsOf(question, row, period);
  const freshness = await readFreshness(snapshot, namespace);
  const subjects = await subjectsOfCustomer(snapshot, namespace, question.customer);
  const { timezone } = terms;
  const usage = await readChargeUsage(snapshot, { namespace, subjects, charges, period, timezone, signal });
  return { terms, usage, freshness };
}

/** Currency and calendar of the bill. Throws `ChargesRefused` with every fault of the question that shows before usage is read. */
function termsOf(
  { charges, ...said }: ChargesQuestion,
  customer: CustomerRow,
  { from, to }: TimeWindow,
): Terms {
  const currency = said.currency ?? customer.currency;
  const timezone = said.timezone ?? customer.timezone;
  const faults: Violation[] = [
    ...checkCurrency(currency),
    ...(isTimeZone(timezone)
      ? []
      : [{ pointer: '/timezone', code: 'unknown_time_zone', message: 'is no IANA time zone' }]),
    ...(from < to
      ? []
      : [{ pointer: '/to', code: 'range_empty', message: 'must be at least one whole minute after from' }]),
    ...checkBilledCharges(charges),
  ];
  if (currency === null || faults.length > 0) throw new ChargesRefused(faults);
  return { currency, timezone: timeZone(timezone).name };
}

function checkCurrency(currency: string | null): Violation[] {
  if (currency === null)
    return [
      { pointer: '/currency', code: 'currency_needed', message: 'must be given: the customer has none' },
    ];
  return isIsoCurrency(currency)
    ? []
    : [{ pointer: '/currency', code: 'unknown_currency', message: 'is no currency of ISO 4217' }];
}

/** After the snapshot: the warehouse may ask the same database where its rows are. */
async function withEvents(
  { warehouse }: Stores,
  { namespace, signal }: ChargesQuestion,
  { measured }: ChargeUsage,
): Promise<ReadonlyMap<string, readonly Usage[]>> {
  const usage = new Map<string, readonly Usage[]>();
  for (const [charge, segments] of measured) {
    const complete: Usage[] = [];
    for (const each of segments)
      complete.push(
        'pointer' in each ? { events: await readChargeEvents(warehouse, namespace, each, signal) } : each,
      );
    usage.set(charge, complete);
  }
  return usage;
}
