import { readBackfill } from '#infra/backfill/backfill.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Database } from '#infra/database/database.ts';
import { viewHasFewer } from '#infra/reconcile/compare-subject.ts';
import { labelOf } from '#infra/reconcile/reconciliations.ts';
import { repairSubject } from '#infra/reconcile/repair-subject.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { dirtyDay, type Row } from '#infra/usage/tables.ts';
import type { ReadWarehouse } from '#pipelines/recount/read-events.ts';
import { compareDays, type ComparedDay } from './compare-days.ts';
import type { DifferingSubject } from './runtime.ts';

interface Stores {
  readonly database: Database;
  readonly warehouse: ReadWarehouse;
  readonly scheduler: Scheduler;
}

type DirtyDay = Row<typeof dirtyDay>;

/** Days of one call at most; the next one goes on. */
const DIRTY_DAYS_PER_CALL = 10_000;
/** Names this where a repair is recorded. */
const PRINCIPAL = 'system:dirty-cells';

/**
 * Computes cells again that a void left without an inverse. Their events are known by their fingerprints; so only what the exact view has all events
 * of is written, and the rest is left as it is. `left` tells how many subjects' days those are.
 */
export async function recountDirtyDays(
  stores: Stores,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly repaired: number; readonly left: number }> {
  const dirty = await Array.fromAsync(
    stores.database.scan(dirtyDay, { prefix: [] }, { limit: DIRTY_DAYS_PER_CALL }),
  );
  const counts = { repaired: 0, left: 0 };
  const days = Map.groupBy(dirty, ({ namespace, meter, generation, day }) =>
    JSON.stringify([namespace, meter, generation, day]),
  );
  for (const same of days.values()) {
    const { repaired, left } = await recountDay(stores, same, signal);
    counts.repaired += repaired;
    counts.left += left;
  }
  return counts;
}

async function recountDay(stores: Stores, dirty: readonly DirtyDay[], signal: AbortSignal | undefined) {
  const counts = { repaired: 0, left: 0 };
  const [first] = dirty;
  if (first === undefined) return counts;
  const { namespace, meter: key, day } = first;
  const versions = await readMeterVersions(stores.database, namespace, key);
  const meter = versions.find(({ generation }) => generation === first.generation);
  if (meter === undefined)
    throw new Error(`cells of ${key}, generation ${first.generation}, which nobody saved`);
  const backfill = await readBackfill(stores.database, { namespace, meter: key, version: meter.version });
  const isCounted = backfill !== undefined && backfill.parts > 0 && backfill.partsDone === backfill.parts;
  const asked = {
    ...{ ...stores, signal, namespace, meter },
    backfill: isCounted ? backfill : undefined,
    subjects: dirty.map(({ subject }) => subject),
  };
  for await (const compared of compareDays(asked, [day])) {
    for (const differing of compared.differing)
      counts[await settle(stores, { meter, compared, namespace }, differing)]++;
    const differs = new Set(compared.differing.map(({ stored }) => stored.subject));
    for (const row of dirty) if (!differs.has(row.subject)) await forget(stores.database, row);
  }
  return counts;
}

interface Settled {
  readonly namespace: string;
  readonly meter: MeterVersion;
  readonly compared: ComparedDay;
}

async function settle(
  { database, scheduler }: Stores,
  { namespace, meter, compared }: Settled,
  { stored, recount, differences }: DifferingSubject,
): Promise<'repaired' | 'left'> {
  if (viewHasFewer(differences)) return 'left';
  const isRepaired = await repairSubject(database, {
    of: {
      ...{ namespace, subject: stored.subject, meter: meter.key, generation: meter.generation },
      aggregation: meter.definition.aggregation,
      day: compared.day,
    },
    version: meter.version,
    stored: stored.cells,
    hours: recount.hours,
    values: recount.values,
    owners: compared.owners,
    differences,
    origin: { principal: PRINCIPAL, reason: 'a void left no inverse', now: scheduler.now() },
    target: labelOf(meter),
  });
  return isRepaired ? 'repaired' : 'left';
}

/** A cell that is right is no longer waited for; unless a void has left it dirty again meanwhile. */
async function forget(
  database: Database,
  { namespace, meter, generation, day, subject, since }: DirtyDay,
): Promise<void> {
  const key = [namespace, meter, generation, day, subject];
  await database.transact(async (tx) => {
    const [row] = await tx.read(dirtyDay, [key]);
    if (row?.since === since) tx.delete(dirtyDay, key);
  });
}
