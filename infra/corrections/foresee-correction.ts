import { createUsageChange, type MeterChange } from '#domain/corrections/usage-change.ts';
import type { Instant } from '#domain/instant.ts';
import { CORRECTION_EVENTS_MAX } from '#domain/limits.ts';
import type { Copy } from '#domain/metering/batch.ts';
import { countedByBackfills } from '#infra/backfill/counted-by-backfills.ts';
import { loadCatalogue, readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import { copyOf } from '#infra/usage/correct-events.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';
import { planAmendments } from './apply-batch.ts';
import { CorrectionError } from './errors.ts';
import { createAffected, type Affected } from './foresee-affected.ts';
import { foreseeInvoices, type ForeseenInvoices } from './foresee-invoices.ts';
import { createLimitChanges, type ForeseenLimit } from './foresee-limits.ts';
import { meantEvents, type MeantEvents } from './meant-events.ts';
import type { PreparedCorrection } from './prepare-correction.ts';
import { REFUSED_NAMED_MAX, type RefusedEvent } from './tables.ts';

/** What a correction would do. */
export interface ForeseenCorrection extends Omit<Affected, 'usage'> {
  /** The events that are meant were committed by then: given with the correction, it means exactly these. */
  readonly asOf: Instant;
  readonly matched: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly refused: number;
  /** The first of them. */
  readonly refusedEvents: readonly RefusedEvent[];
  readonly meters: readonly ForeseenMeter[];
  /** Hour cells that are different afterwards. */
  readonly cells: number;
  /** Of the days of these cells, those that are closed. */
  readonly closedDays: number;
  readonly limits: readonly ForeseenLimit[];
  /** Reservations that these events settled: they stay settled. */
  readonly settledReservations: number;
  readonly invoices: ForeseenInvoices;
}

export interface ForeseenMeter extends MeterChange {
  /** Whether readers are on this generation. */
  readonly isActive: boolean;
}

interface Stores extends MeantEvents {
  readonly catalogues: Catalogues;
}

export interface Foresee {
  readonly signal?: AbortSignal | undefined;
  /** Called between pages: a process with more to do may give way. */
  readonly breathe?: (() => Promise<void>) | undefined;
}

/**
 * What a correction would do, by the same selection and the same rules, without changing anything. It takes as long as there are events. Throws
 * `CorrectionError` `too_many_events`.
 */
export async function foreseeCorrection(
  stores: Stores,
  prepared: PreparedCorrection,
  { signal, breathe }: Foresee = {},
): Promise<ForeseenCorrection> {
  const seen = createForeseen(stores, prepared);
  for await (const events of meantEvents(stores, prepared, null)) {
    signal?.throwIfAborted();
    await seen.take(events);
    await breathe?.();
  }
  return seen.end();
}

function createForeseen(stores: Stores, prepared: PreparedCorrection) {
  const { database } = stores;
  const { namespace, asOf, filter } = prepared;
  const usage = createUsageChange();
  const affected = createAffected(database, namespace);
  const limits = createLimitChanges(database);
  const refusedEvents: RefusedEvent[] = [];
  let [matched, changed, unchanged, refused] = [0, 0, 0, 0];
  return {
    take: async (events: readonly LoadedEvent[]): Promise<void> => {
      matched += events.length;
      if (matched > CORRECTION_EVENTS_MAX && filter.import === undefined) throw tooMany();
      const plan = await planOf(stores, prepared, events);
      changed += plan.changed;
      unchanged += plan.unchanged;
      refused += plan.refused.length;
      refusedEvents.push(...plan.refused.slice(0, REFUSED_NAMED_MAX - refusedEvents.length));
      for (const { copy, sign } of plan.changes) usage.add(copy, sign);
      await affected.take(plan.changes.map(({ copy }) => copy));
      await limits.take(plan.changes);
    },
    end: async (): Promise<ForeseenCorrection> => {
      const { row } = await loadCatalogue(database, namespace);
      const { usage: touched, ...rest } = affected.end();
      return {
        ...{ asOf, matched, changed, unchanged, refused, refusedEvents, ...rest },
        meters: await withState(stores, namespace, [...usage.meters.values()]),
        cells: usage.cells,
        closedDays: [...usage.days].filter((day) => day <= row.closedThrough).length,
        ...(await limits.end()),
        invoices: await foreseeInvoices(database, { namespace, from: filter.from, usage: touched }),
      };
    },
  };
}

const tooMany = (): CorrectionError =>
  new CorrectionError(
    'too_many_events',
    `more than ${CORRECTION_EVENTS_MAX} events are meant: ask for a shorter time, or fewer subjects`,
  );

/** An event that goes, or comes. */
export interface EventChange {
  readonly copy: Copy;
  readonly sign: 1 | -1;
}

interface Plan {
  readonly changes: readonly EventChange[];
  readonly changed: number;
  readonly unchanged: number;
  readonly refused: readonly RefusedEvent[];
}

/** What goes and what comes, in the order of the events. */
async function planOf(
  { database, catalogues }: Stores,
  { namespace, action, change }: PreparedCorrection,
  events: readonly LoadedEvent[],
): Promise<Plan> {
  const backfilled = await countedByBackfills(database, namespace, events);
  const alsoCounted = new Map(backfilled.map((copy) => [copy.event.identity, copy.effects]));
  const counted = (loaded: LoadedEvent): Copy => {
    const copy = copyOf(loaded);
    return { ...copy, effects: [...copy.effects, ...(alsoCounted.get(copy.event.identity) ?? [])] };
  };
  if (action !== 'amend') {
    const sign = action === 'void' ? -1 : 1;
    const changes = events.map((loaded): EventChange => ({ copy: counted(loaded), sign }));
    return { changes, changed: events.length, unchanged: 0, refused: [] };
  }
  // The id of a correction that is not made has the length of one that is.
  const plan = await planAmendments(catalogues, { id: NO_ID, change: change ?? null }, events);
  const coming = new Map(plan.matched.copies.map((copy) => [copy.event.identity, copy]));
  const changes = events.flatMap((loaded): EventChange[] => {
    const copy = coming.get(plan.replacements.get(loaded.event.identity) ?? '');
    return copy === undefined
      ? []
      : [
          { copy: counted(loaded), sign: -1 },
          { copy, sign: 1 },
        ];
  });
  const { unchanged, refused } = plan;
  return { changes, changed: plan.replacements.size, unchanged, refused };
}

const NO_ID = '00000000-0000-0000-0000-000000000000';

async function withState(
  { database }: Stores,
  namespace: string,
  meters: readonly MeterChange[],
): Promise<ForeseenMeter[]> {
  const versions = await readMeterVersions(database, namespace);
  return meters.map((each) => ({
    ...each,
    isActive: versions.some(
      ({ key, generation, state }) =>
        key === each.meter && generation === each.generation && state === 'active',
    ),
  }));
}
