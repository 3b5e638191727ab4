import { v7 as uuidV7 } from 'uuid';
import { floorToMinute, MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import type { ExtraLine, InvoiceInputs } from '#domain/invoicing/invoice-inputs.ts';
import { InvoicingError } from '#domain/invoicing/invoicing-error.ts';
import { EXTRA_LINES_MAX } from '#domain/limits.ts';
import { anyCurrency, isIsoCurrency } from '#domain/money/currency.ts';
import { parseDecimal } from '#domain/money/decimal.ts';
import { checkTaxRateTexts } from '#domain/plans/check-tax-rate-texts.ts';
import { checkPrintable, type Violation } from '#domain/violation.ts';
import { liveCustomer } from '#infra/customers/put-customer.ts';
import { toBuyer } from '#infra/customers/to-buyer.ts';
import type { Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { onlySeller, readSellers } from '#infra/sellers/read-sellers.ts';
import { toSeller } from '#infra/sellers/to-seller.ts';
import { storedTexts } from './collected-invoice.ts';
import { InvoicingRuleError } from './errors.ts';
import { insertInvoice, nextSequences } from './insert-invoice.ts';
import type { InvoiceRow } from './tables.ts';

export interface CreateInvoice {
  readonly namespace: string;
  readonly customer: string;
  /** The customer's own where nothing is said. */
  readonly currency?: string | undefined;
  readonly seller?: string | undefined;
  readonly lines: readonly ExtraLine[];
  readonly now: Instant;
}

/**
 * Writes an invoice by hand, as a draft: it is issued by a call. Throws `InvoicingRuleError` `invalid_invoice` with every fault, `CustomerError`
 * (`customer_not_found`, `customer_archived`) and `SellerError` (`seller_not_found`, `seller_needed`).
 */
export async function createInvoice(tx: Transaction, request: CreateInvoice): Promise<InvoiceRow> {
  const { namespace, now } = request;
  const customer = await liveCustomer(tx, { namespace, key: request.customer });
  const currency = request.currency ?? customer.currency;
  const faults = checkRequest(currency, request.lines);
  if (currency === null || faults.length > 0) throw invalid(faults);
  const key = request.seller ?? customer.seller ?? (await onlySeller(tx, namespace));
  const seller = (await readSellers(tx, namespace, [key])).get(key);
  if (seller === undefined) throw new Error(`the seller ${key} was not read`);
  const inputs: InvoiceInputs = {
    rules: 1,
    kind: 'oneOff',
    currency,
    timezone: customer.timezone,
    seller: toSeller(seller),
    customer: toBuyer(customer),
    date: floorToMinute(now),
    usage: null,
    subscriptions: [],
    extraLines: request.lines,
  };
  const made = { inputs, content: contentOf(inputs) };
  const invoice = {
    ...made,
    id: uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI) }),
    parkedFor: [],
    stored: storedTexts(made),
  };
  const [sequence = 1] = await nextSequences(tx, namespace, [invoice]);
  return insertInvoice(tx, { namespace, now }, invoice, sequence);
}

function contentOf(inputs: InvoiceInputs) {
  try {
    return buildInvoice(inputs);
  } catch (error) {
    if (error instanceof InvoicingError) throw invalid(error.violations);
    throw error;
  }
}

const invalid = (faults: readonly Violation[]): InvoicingRuleError =>
  new InvoicingRuleError('invalid_invoice', sentenceOf(faults), faults);

const DESCRIPTION_BYTES_MAX = 1_024;

function checkRequest(currency: string | null, lines: readonly ExtraLine[]): Violation[] {
  if (currency === null)
    return [
      { pointer: '/currency', code: 'currency_needed', message: 'must be given: the customer has none' },
    ];
  if (!isIsoCurrency(currency))
    return [{ pointer: '/currency', code: 'unknown_currency', message: 'is no currency of ISO 4217' }];
  if (lines.length === 0 || lines.length > EXTRA_LINES_MAX)
    return [{ pointer: '/lines', code: 'out_of_range', message: `must be 1 to ${EXTRA_LINES_MAX} lines` }];
  return lines.flatMap((line, place) => checkLine(currency, line, `/lines/${place}`));
}

function checkLine(
  currency: string,
  { description, period, amount, taxRates }: ExtraLine,
  pointer: string,
): Violation[] {
  const { decimals } = anyCurrency(currency);
  return [
    ...checkPrintable(`${pointer}/description`, description, DESCRIPTION_BYTES_MAX),
    ...(period.from > period.to
      ? [{ pointer: `${pointer}/period`, code: 'range_invalid', message: 'must not end before it begins' }]
      : []),
    ...(parseDecimal(amount).decimalPlaces() > decimals
      ? [
          {
            pointer: `${pointer}/amount`,
            code: 'not_in_minor_units',
            message: `has more than the ${decimals} decimals of ${currency}`,
          },
        ]
      : []),
    ...(taxRates === null ? [] : checkTaxRateTexts(`${pointer}/taxRates`, taxRates)),
  ];
}
