import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import type { InvoiceInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { InvoiceLine } from '#domain/invoicing/invoice.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Dimensions } from '#domain/pricing/usage.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Reads } from '#infra/database/database.ts';
import { ownedWithin } from '#infra/usage/customer-subjects.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';

/** Which events are behind a line: what one version of a meter counted, of whom, when, and as of which commit. */
export interface LineQuestion {
  readonly meter: MeterVersion;
  readonly period: TimeWindow;
  readonly subjects: readonly AskedSubject[];
  /** Only those with these values; of all groups where nothing is said. */
  readonly dimensions?: Dimensions | undefined;
  /** The commit time as of which events, and voids, are taken. */
  readonly at: Instant;
}

/** Every version of every meter of a namespace that invoices may name. */
export type MeterVersions = (meter: string, version: number) => MeterVersion;

/** The function throws where there is no such version: a published one is never removed. */
export async function readAllMeterVersions(from: Reads, namespace: string): Promise<MeterVersions> {
  const versions = await readMeterVersions(from, namespace);
  const byName = new Map(versions.map((each) => [`${each.key} ${each.version}`, each]));
  return (meter, version) => {
    const found = byName.get(`${meter} ${version}`);
    if (found === undefined) throw new Error(`meter ${meter} has no version ${version}`);
    return found;
  };
}

/** The subjects of one customer in a period, as they were when an invoice was collected. */
export function subjectsAsRead(
  usage: InvoiceInputs['usage'],
  customer: string | null,
  period: TimeWindow,
): AskedSubject[] {
  const own = usage?.subjects.find((each) => each.customer === customer)?.subjects ?? [];
  return own.flatMap((subject) => ownedWithin(subject, period));
}

/** What to ask for the events behind a line; undefined where none are. `usage` is that of the invoice's inputs. */
export function questionOfLine(
  usage: InvoiceInputs['usage'],
  meters: MeterVersions,
  line: Pick<InvoiceLine, 'usage' | 'customer' | 'period' | 'dimensions'>,
): LineQuestion | undefined {
  if (line.usage === null || usage === null) return undefined;
  const { customer, period, dimensions } = line;
  return {
    meter: meters(line.usage.meter, line.usage.meterVersion),
    period,
    subjects: subjectsAsRead(usage, customer, period),
    ...(dimensions ? { dimensions } : {}),
    at: usage.readAt,
  };
}
