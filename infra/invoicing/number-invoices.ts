import { civilOfDays } from '#domain/calendar/civil-date.ts';
import { localDayAt } from '#domain/calendar/local-time.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import type { Instant } from '#domain/instant.ts';
import type { Buyer, Seller } from '#domain/invoicing/invoice-inputs.ts';
import type { Transaction } from '#infra/database/database.ts';
import { readSellers } from '#infra/sellers/read-sellers.ts';
import type { SellerRow } from '#infra/sellers/tables.ts';
import { invoice, numberSeries, type InvoiceRow } from './tables.ts';

/** A finalised invoice with what its number and its due date are made with. */
export interface Unnumbered {
  readonly row: InvoiceRow;
  readonly merkleRoots: Readonly<Record<string, string>>;
  /** Days from the issue to the due date. */
  readonly netTermDays: number;
}

/** The customer's own net terms come before those of its seller, both as they were. */
export const netTermDaysOf = ({
  customer,
  seller,
}: {
  readonly customer: Pick<Buyer, 'netTermDays'>;
  readonly seller: Pick<Seller, 'netTermDays'>;
}): number => customer.netTermDays ?? seller.netTermDays;

/**
 * Gives finalised invoices their numbers, in their order: the next ones of the seller's series in the year of the issue. Numbers and series are
 * written in one transaction, so that none is given twice and none is left out; the series' rows put all who do so in turn.
 */
export async function numberInvoices(
  tx: Transaction,
  namespace: string,
  finalised: readonly Unnumbered[],
  now: Instant,
): Promise<InvoiceRow[]> {
  const sellers = await readSellers(
    tx,
    namespace,
    finalised.map(({ row }) => row.seller),
  );
  const issued: InvoiceRow[] = [];
  for (const [key, ofSeller] of Map.groupBy(finalised, ({ row }) => row.seller)) {
    const seller = sellers.get(key);
    if (seller === undefined) throw new Error(`the seller ${key} was not read`);
    issued.push(...(await numberOfSeller(tx, seller, ofSeller, now)));
  }
  return issued;
}

async function numberOfSeller(
  tx: Transaction,
  seller: SellerRow,
  finalised: readonly Unnumbered[],
  now: Instant,
): Promise<InvoiceRow[]> {
  const { namespace, key, numberPrefix, timezone } = seller;
  const day = localDayAt(timeZone(timezone), now);
  const { year } = civilOfDays(day);
  const place = { namespace, seller: key, series: numberPrefix, year };
  const [series] = await tx.read(numberSeries, [[namespace, key, numberPrefix, year]]);
  const first = series?.next ?? FIRST_NUMBER;
  tx.upsert(numberSeries, { ...place, next: first + finalised.length });
  return finalised.map(({ row, merkleRoots, netTermDays }, index) => {
    const issued: InvoiceRow = {
      ...row,
      state: 'issued',
      number: `${numberPrefix}${year}-${numberText(first + index)}`,
      issuedAt: now,
      issueDate: dateText(day),
      dueDate: dateText(day + netTermDays),
      merkleRoots,
      updatedAt: now,
    };
    tx.upsert(invoice, issued);
    return issued;
  });
}

const FIRST_NUMBER = 1;
/** Numbers of one length sort as text, in all but the largest series. */
const NUMBER_DIGITS = 6;

const numberText = (number: number): string => String(number).padStart(NUMBER_DIGITS, '0');

function dateText(days: number): string {
  const { year, month, day } = civilOfDays(days);
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
