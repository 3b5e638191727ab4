import type { Classified, EventState, StoredEvent } from '#domain/metering/classify.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { conflict, event, type Row } from './tables.ts';

/** The stored rows of these identities, in their order. */
export async function readEvents(
  tx: Pick<Transaction, 'read'>,
  identities: readonly Hash128[],
): Promise<(StoredEvent | undefined)[]> {
  if (identities.length === 0) return [];
  const rows = await tx.read(
    event,
    identities.map((identity) => [identity]),
  );
  return rows.map((row) => row && toStored(row));
}

export function toStored({
  digest,
  state,
  time,
  catalogueVersion,
  committedAt,
}: Row<typeof event>): StoredEvent {
  return { digest, state: state as EventState, time, catalogueVersion, committedAt };
}

export function eventRow(of: UsageEvent, state: EventState, catalogueVersion: number): Row<typeof event> {
  const { identity, digest, namespace, type, subject, time } = of;
  return {
    identity,
    digest,
    namespace,
    type,
    subject,
    time,
    state,
    catalogueVersion,
    committedAt: commitTimestamp,
  };
}

/** Writes what a batch says of identities: new events, the first copy of a void that came before it, and conflicts. Returns the rows. */
export function writeEvents(
  tx: Transaction,
  classified: readonly Classified[],
  { versionOf, receivedAt }: { versionOf: (namespace: string) => number; receivedAt: Instant },
): number {
  let rows = 0;
  for (const { copy, outcome } of classified) {
    if (outcome === 'duplicate') continue;
    rows++;
    const { event: said } = copy;
    if (outcome === 'accepted') tx.insert(event, eventRow(said, 'live', versionOf(said.namespace)));
    else if (outcome === 'void') tx.upsert(event, eventRow(said, 'void', versionOf(said.namespace)));
    else tx.upsert(conflict, conflictRow(said, receivedAt));
  }
  return rows;
}

/** Keyed by identity and digest, so that a conflict delivered again is one row. */
function conflictRow(of: UsageEvent, receivedAt: Instant): Row<typeof conflict> {
  const { identity, digest, namespace, subject, type, time, publishTime } = of;
  return { identity, digest, namespace, subject, type, time, publishTime, receivedAt };
}
