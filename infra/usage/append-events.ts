import type { Effect } from '#domain/metering/effects.ts';
import type { Classified } from '#domain/metering/classify.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Instant } from '#domain/instant.ts';
import type { LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { RowRefused } from '#infra/warehouse/errors.ts';
import { toWarehouseRow, type EventRow, type Outcome } from '#infra/warehouse/event-row.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { catalogueOf } from './catalogue-set.ts';
import type { Committed } from './commit.ts';
import { appendParked } from './tables.ts';

/**
 * The rows that a commit owes the warehouse: what was accepted, also what was found committed before (its own append may have been
 * lost, and appending again is harmless), conflicts, and first copies of what had been voided already.
 */
export function eventRowsOf({ classified, committedAt, catalogues }: Committed): EventRow[] {
  const rows = new Array<EventRow>(classified.length);
  const commitOf = commitsAt(committedAt);
  let count = 0;
  for (let i = 0; i < classified.length; i++) {
    const each = classified[i] as Classified;
    const row = eventRowOf(each, commitOf, catalogueOf(catalogues, each.copy.event.namespace));
    if (row) rows[count++] = row;
  }
  rows.length = count;
  return rows;
}

function eventRowOf(
  { copy, outcome, stored }: Classified,
  commitOf: CommitOfRow,
  catalogue: LoadedCatalogue,
): EventRow | undefined {
  const { event, effects } = copy;
  const { version } = catalogue.row;
  switch (outcome) {
    case 'accepted':
      return toEventRow(event, 'accepted', commitOf(version, labelsOf(effects)));
    case 'conflict':
      return toEventRow(event, 'conflict', commitOf(version, NO_METERS));
    case 'void':
      return toEventRow(event, 'void', commitOf(version, NO_METERS));
    case 'duplicate': {
      // A copy beside its first in this very batch is appended with the first.
      if (stored === undefined || stored.digest === null) return undefined;
      const { committedAt: storedAt, catalogueVersion, time } = stored;
      const first = { ...event, time };
      // One that was voided ahead may have lost its append. At the time of its own commit the row hides no accepted one.
      if (stored.state === 'void')
        return toEventRow(first, 'void', {
          committedAt: storedAt,
          catalogueVersion,
          matchedMeters: NO_METERS,
        });
      const matchedMeters =
        catalogueVersion === catalogue.row.version
          ? labelsOf(effects)
          : labelsAt(catalogue, catalogueVersion, first);
      return toEventRow(first, 'accepted', { committedAt: storedAt, catalogueVersion, matchedMeters });
    }
  }
}

type CommitOfRow = (catalogueVersion: number, matchedMeters: readonly string[]) => CommitOf;

/** What the rows of a commit share, made once for neighbours that match alike. */
function commitsAt(committedAt: Instant): CommitOfRow {
  let last: CommitOf = { committedAt, catalogueVersion: 0, matchedMeters: NO_METERS };
  return (catalogueVersion, matchedMeters) => {
    if (last.matchedMeters !== matchedMeters || last.catalogueVersion !== catalogueVersion)
      last = { committedAt, catalogueVersion, matchedMeters };
    return last;
  };
}

function labelsAt(catalogue: LoadedCatalogue, version: number, event: UsageEvent): readonly string[] {
  const matched = matchEvent(catalogue.at(version), event);
  return matched.refusal ? NO_METERS : labelsOf(matched.effects);
}

const NO_METERS: readonly string[] = [];
/** Events of one kind share one list, which the warehouse then writes out once. */
const sharedLabels = new Map<string, readonly string[]>();
const SHARED_LABELS_MAX = 10_000;

let lastEffects: readonly Effect[] = [];
let lastLabels = NO_METERS;

export function labelsOf(effects: readonly Effect[]): readonly string[] {
  if (effects.length === 0) return NO_METERS;
  // Neighbours mostly match alike.
  if (
    effects.length !== lastEffects.length ||
    effects.some(({ meter }, at) => meter !== lastEffects[at]?.meter)
  ) {
    lastLabels = sharedLabelsOf(effects);
    lastEffects = effects;
  }
  return lastLabels;
}

function sharedLabelsOf(effects: readonly Effect[]): readonly string[] {
  let name = '';
  for (const { meter } of effects) name += `${meter.label} `;
  let labels = sharedLabels.get(name);
  if (labels === undefined) {
    labels = effects.map(({ meter }) => meter.label);
    if (sharedLabels.size >= SHARED_LABELS_MAX) sharedLabels.clear();
    sharedLabels.set(name, labels);
  }
  return labels;
}

/**
 * An event as a row of the warehouse. A class, since on the hot path a record of fifteen copied fields would be the largest thing that is
 * made of an event: this one points at it.
 */
class CommittedEventRow implements EventRow {
  readonly #event: UsageEvent;
  readonly #commit: CommitOf;
  readonly outcome: Outcome;

  constructor(event: UsageEvent, outcome: Outcome, commit: CommitOf) {
    this.#event = event;
    this.#commit = commit;
    this.outcome = outcome;
  }

  get committedAt(): Instant {
    return this.#commit.committedAt;
  }
  get catalogueVersion(): number {
    return this.#commit.catalogueVersion;
  }
  get matchedMeters(): readonly string[] {
    return this.#commit.matchedMeters;
  }
  get identity(): Hash128 {
    return this.#event.identity;
  }
  get digest(): Hash128 {
    return this.#event.digest;
  }
  get namespace(): string {
    return this.#event.namespace;
  }
  get id(): string {
    return this.#event.id;
  }
  get source(): string {
    return this.#event.source;
  }
  get type(): string {
    return this.#event.type;
  }
  get subject(): string {
    return this.#event.subject;
  }
  get time(): Instant {
    return this.#event.time;
  }
  get data(): string {
    return this.#event.data;
  }
  get attributes(): string | null {
    return this.#event.attributes;
  }
  get publishedAt(): Instant {
    return this.#event.publishTime;
  }
}

type CommitOf = Pick<EventRow, 'committedAt' | 'catalogueVersion' | 'matchedMeters'>;

export const toEventRow = (event: UsageEvent, outcome: Outcome, commit: CommitOf): EventRow =>
  new CommittedEventRow(event, outcome, commit);

/** So many refused rows of one call are parked one by one; more of them mean that the warehouse, not the rows, is at fault. */
const PARKED_PER_APPEND_MAX = 100;

/**
 * Appends rows; one that the warehouse refuses is parked with its error, since it counts already, and the others go on without it.
 * Returns the number parked. Throws when the warehouse is unavailable; then all rows are appended again later.
 */
export async function appendEventRows(
  { database, warehouse }: { database: Database; warehouse: Warehouse },
  rows: readonly EventRow[],
): Promise<number> {
  let left = rows;
  for (let parked = 0; ; parked++) {
    try {
      if (left.length > 0) await warehouse.appendEvents(left);
      return parked;
    } catch (error) {
      const refused = error instanceof RowRefused ? left[error.rowIndex] : undefined;
      if (refused === undefined || parked >= PARKED_PER_APPEND_MAX) throw error;
      await park(database, refused, error as RowRefused);
      left = left.filter((row) => row !== refused);
    }
  }
}

/** A conflict has its record beside the events: it never takes the place of the row that counts. */
async function park(database: Database, row: EventRow, error: RowRefused): Promise<void> {
  const { identity, namespace, subject } = row;
  const parked = {
    identity,
    namespace,
    subject,
    row: toWarehouseRow(row),
    error: error.message,
    parkedAt: commitTimestamp,
  };
  await database.transact(async (tx) => {
    const [there] = row.outcome === 'conflict' ? await tx.read(appendParked, [[identity]]) : [];
    if (there === undefined) tx.upsert(appendParked, parked);
  });
}
