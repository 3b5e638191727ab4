import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { fingerprintOf, type Fingerprint } from '#domain/metering/fingerprint.ts';
import { fromHex, type Hash128 } from '#domain/metering/hash128.ts';
import type { WarehouseRow } from './warehouse.ts';

/** An event of the exact view in the form in which meters fold it. */
export interface MeteredEvent {
  readonly identity: Hash128;
  /** As cells add it up. */
  readonly digest: Fingerprint;
  /** With the source what only filters look at: empty where neither was asked for. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  /** Canonical text. */
  readonly data: string;
  readonly catalogueVersion: number;
}

/** The same from a row of `metered_events`, or of `events` where its digest and data are told. */
export function toMeteredEvent(row: WarehouseRow): MeteredEvent {
  const text = (column: string): string => String(row[column]);
  return {
    identity: fromHex(text('identity')),
    digest: fingerprintOf(fromHex(text('digest'))),
    id: text('id'),
    source: text('source'),
    type: text('type'),
    subject: text('subject'),
    time: parseRfc3339(text('time'))?.at ?? 0,
    data: text('data'),
    catalogueVersion: Number(row['catalogue_version']),
  };
}

/** What is handed on at once: an asynchronous step for each event would cost more than what is done with it. */
const EVENTS_PER_BATCH = 1_000;

/** The answer to `metered_events`, for a driver that has no quicker way. */
export async function* meteredFromRows(
  rows: AsyncIterable<WarehouseRow>,
): AsyncGenerator<MeteredEvent[], void, undefined> {
  let batch: MeteredEvent[] = [];
  for await (const row of rows) {
    if (batch.push(toMeteredEvent(row)) < EVENTS_PER_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
