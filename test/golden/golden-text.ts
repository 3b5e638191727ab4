import { toInvoice } from '#api/invoices/documents.ts';
import type { Played, PlayedInvoice } from './play-contract.ts';

/**
 * An invoice as the API answers it, as text that is compared to the byte. Only what chance or the stores choose is not in it: ids are replaced by
 * what they name (subscriptions as the contract calls them, invoices by their number, or place), and the id of the run and the hash of the
 * inputs, which has the commit time of the snapshot in it, are left out.
 */
export function goldenText(played: Played, invoice: PlayedInvoice): string {
  const { run: _, inputsHash: __, ...document } = toInvoice(invoice);
  const names = new Map([
    ...played.subscriptions,
    ...played.invoices.map(({ row }, place) => [row.id, row.number ?? `invoice ${place + 1}`] as const),
  ]);
  return `${withNames(JSON.stringify(document, null, 2), names)}\n`;
}

export const withNames = (text: string, names: ReadonlyMap<string, string>): string =>
  text.replaceAll(UUID, (id) => names.get(id) ?? id);

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

export const fileNameOf = (place: number): string => `invoice-${place + 1}.json`;
