import type { Copy } from '#domain/metering/batch.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Database } from '#infra/database/database.ts';
import type { CatalogueSet } from '#infra/usage/catalogue-set.ts';
import { loadCatalogues, matchDeliveries, type MatchedDeliveries } from '#infra/usage/match-deliveries.ts';
import { event as eventTable } from '#infra/usage/tables.ts';
import type { KnownEvents } from './known-events.ts';
import type { StagedEvent } from './staged-lines.ts';
import type { RefusedLine } from './tables.ts';

/** What some staged events come to, as far as it can be told before their transaction. */
export interface EventPlan {
  readonly catalogues: CatalogueSet;
  /** Those that are new as far as the warehouse tells: whether they are is for the transaction to say. */
  readonly matched: MatchedDeliveries;
  /** Are in the warehouse, and their rows are gone. */
  readonly duplicates: number;
  readonly conflicts: number;
  readonly refused: readonly RefusedLine[];
}

interface Sources {
  readonly database: Pick<Database, 'read'>;
  readonly catalogues: Catalogues;
  readonly known: KnownEvents;
}

/** Events without a row are looked for in the warehouse; what the meters of now refuse is left out. */
export async function planEvents(
  { database, catalogues: from, known }: Sources,
  events: readonly StagedEvent[],
): Promise<EventPlan> {
  const rows = await database.read(
    eventTable,
    events.map(({ delivery }) => [delivery.event.identity]),
  );
  const unseen = events.filter((_, place) => rows[place] === undefined);
  const digests = await known.among(unseen);
  const fresh = events.filter(({ delivery }) => !digests.has(delivery.event.identity));
  const duplicates = events.filter(({ delivery: { event } }) => digests.get(event.identity) === event.digest);
  const deliveries = fresh.map(({ delivery }) => delivery);
  const catalogues = await loadCatalogues(from, deliveries);
  const matched = matchDeliveries(catalogues, deliveries);
  return {
    catalogues,
    matched: { ...matched, refused: [], replays: [] },
    duplicates: duplicates.length,
    conflicts: events.length - fresh.length - duplicates.length,
    refused: refusedLines(fresh, matched),
  };
}

function refusedLines(events: readonly StagedEvent[], { refused }: MatchedDeliveries): RefusedLine[] {
  const places = new Map(events.map((each) => [each.delivery, each]));
  return refused.flatMap(({ delivery, refusal: { reason: code, detail } }) => {
    const place = places.get(delivery as StagedEvent['delivery']);
    return place === undefined ? [] : [{ part: place.part, line: place.line, code, detail }];
  });
}

/** The copies of a plan whose identity was not met before, and how many were. */
export function unmet(copies: readonly Copy[], met: Set<Hash128>): Copy[] {
  return copies.filter(({ event: { identity } }) => {
    if (met.has(identity)) return false;
    met.add(identity);
    return true;
  });
}
