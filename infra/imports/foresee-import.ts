import { createUsageChange, type MeterChange } from '#domain/corrections/usage-change.ts';
import { HOURS_PER_DAY } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import { createAffected, type AffectedNames } from '#infra/corrections/foresee-affected.ts';
import { foreseeInvoices, type ForeseenInvoices } from '#infra/corrections/foresee-invoices.ts';
import { createLimitChanges, type ForeseenLimit } from '#infra/corrections/foresee-limits.ts';
import type { Database } from '#infra/database/database.ts';
import { hoursKeptFrom } from '#infra/usage/cells.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { readEvents } from '#infra/usage/events.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { readImport } from './imports.ts';
import { createKnownEvents } from './known-events.ts';
import { planEvents, unmet } from './plan-events.ts';
import { stagedEvents } from './staged-lines.ts';
import { REFUSED_LINES_NAMED_MAX, type ImportName, type RefusedLine } from './tables.ts';

/** What an import would count. */
export interface ForeseenImport {
  /** Events that would be counted. */
  readonly accepted: number;
  /** Are there already, or stand in the import more than once. */
  readonly duplicates: number;
  readonly conflicts: number;
  /** Lines that the parser, and events that the meters, refuse. */
  readonly refusedLines: number;
  readonly refusedEvents: number;
  readonly refused: readonly RefusedLine[];
  readonly meters: readonly MeterChange[];
  readonly subjects: AffectedNames;
  readonly customers: AffectedNames;
  readonly days: number;
  /** Of these, days that are so long ago that they are kept as a whole, without hours. */
  readonly daysWithoutHours: number;
  readonly limits: readonly ForeseenLimit[];
  readonly invoices: ForeseenInvoices;
}

/** So many identities are remembered, to find events that stand in the import twice. Beyond, they are only found when they are counted. */
const MET_MAX = 2_000_000;

interface Foresee {
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
  readonly breathe?: (() => Promise<void>) | undefined;
}

/** What an import would do, by the same rules, without changing anything. It takes as long as there are events. */
export async function foreseeImport(
  stores: { readonly database: Database; readonly warehouse: Warehouse; readonly catalogues: Catalogues },
  name: ImportName,
  { now, signal, breathe }: Foresee,
): Promise<ForeseenImport> {
  const { database } = stores;
  const { namespace } = name;
  const staged = await inSnapshot(database, (snapshot) => readImport(snapshot, name));
  const known = createKnownEvents(stores.warehouse, { namespace, asOf: staged.row.createdAt });
  const usage = createUsageChange();
  const affected = createAffected(database, namespace);
  const limitChanges = createLimitChanges(database);
  const met = new Set<Hash128>();
  const refused = [...staged.refused];
  let [accepted, duplicates, conflicts, refusedEvents] = [0, 0, 0, 0];
  for await (const events of stagedEvents(database, staged.row, null)) {
    signal?.throwIfAborted();
    const plan = await planEvents({ ...stores, known }, events);
    const first = met.size < MET_MAX ? unmet(plan.matched.copies, met) : plan.matched.copies;
    const stored = await readRows(
      database,
      first.map(({ event }) => event.identity),
    );
    const fresh = first.filter((_, place) => stored[place] === undefined);
    const same = first.filter(({ event }, place) => stored[place]?.digest === event.digest);
    accepted += fresh.length;
    duplicates += plan.duplicates + same.length + (plan.matched.copies.length - first.length);
    conflicts += plan.conflicts + (first.length - fresh.length - same.length);
    refusedEvents += plan.refused.length;
    refused.push(...plan.refused.slice(0, Math.max(REFUSED_LINES_NAMED_MAX - refused.length, 0)));
    for (const copy of fresh) usage.add(copy, 1);
    await affected.take(fresh);
    await limitChanges.take(fresh.map((copy) => ({ copy, sign: 1 as const })));
    await breathe?.();
  }
  const { usage: touched, subjects, customers } = affected.end();
  const { limits } = await limitChanges.end();
  const oldest = hoursKeptFrom(now) / HOURS_PER_DAY;
  return {
    ...{ accepted, duplicates, conflicts, refusedLines: staged.refusedLines, refusedEvents, refused },
    ...{ meters: [...usage.meters.values()], subjects, customers, limits },
    days: usage.days.size,
    daysWithoutHours: [...usage.days].filter((day) => day < oldest).length,
    invoices: await foreseeInvoices(database, { namespace, from: staged.span?.from ?? 0, usage: touched }),
  };
}

const readRows = (database: Database, identities: readonly Hash128[]) =>
  inSnapshot(database, (snapshot) => readEvents(snapshot, identities));
