import { matchEvent } from '#domain/metering/effects.ts';
import type { EventState } from '#domain/metering/classify.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import type { Database } from '#infra/database/database.ts';
import type { LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { appendEventRows, labelsOf, toEventRow } from '#infra/usage/append-events.ts';
import { correctionRows, readCorrected } from '#infra/usage/correct-events.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';
import { event as eventTable } from '#infra/usage/tables.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';

interface Told {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly catalogue: LoadedCatalogue;
}

/**
 * Appends the last correction of events, as it stands in the database, whoever made it: harmless to repeat, and done again by whoever goes on
 * where it is not known whether it was.
 */
export async function tellWarehouse(
  told: Pick<Told, 'database' | 'warehouse'>,
  { namespace, events }: { readonly namespace: string; readonly events: readonly LoadedEvent[] },
): Promise<void> {
  const corrected = await readCorrected(
    told.database,
    namespace,
    events.map(({ event: { identity } }) => identity),
  );
  const rows = events.flatMap((loaded, place): EventRow[] => {
    const last = corrected[place];
    if (last === undefined) return [];
    const outcome = (last.state as EventState) === 'void' ? 'void' : 'restored';
    return correctionRows(loaded, outcome, last.correctedAt);
  });
  await appendEventRows(told, rows);
}

/** Appends events that were committed in the place of others, as they are stored. */
export async function tellCommitted(told: Told, events: readonly UsageEvent[]): Promise<void> {
  const stored = await told.database.read(
    eventTable,
    events.map(({ identity }) => [identity]),
  );
  const rows = events.flatMap((event, place): EventRow[] => {
    const row = stored[place];
    if (row === undefined || row.digest !== event.digest) return [];
    const { catalogueVersion, committedAt } = row;
    const matched = matchEvent(told.catalogue.at(catalogueVersion), event);
    const matchedMeters = labelsOf(matched.refusal ? [] : matched.effects);
    return [toEventRow(event, 'accepted', { committedAt, catalogueVersion, matchedMeters })];
  });
  await appendEventRows(told, rows);
}
