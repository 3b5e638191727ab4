import type { Instant } from '#domain/instant.ts';
import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { WarehouseRow } from './warehouse.ts';

export const OUTCOMES = ['accepted', 'conflict', 'void', 'restored'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A row of `events` as the commit path has it: hashes as binary strings, times as instants. */
export interface EventRow {
  readonly identity: Hash128;
  /** Null only where a void came before its event. */
  readonly digest: Hash128 | null;
  readonly outcome: Outcome;
  readonly namespace: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  /** Canonical text. Voids and restores need not repeat it. */
  readonly data: string | null;
  /** The other CloudEvents attributes as JSON text; mostly null. */
  readonly attributes: string | null;
  readonly publishedAt: Instant | null;
  readonly committedAt: Instant;
  readonly catalogueVersion: number;
  /** `meter@generation` of each meter that counted it. Events of one kind may share one array: it is then written out once. */
  readonly matchedMeters: readonly string[];
}

/** The same row in the port's own terms, for a driver that has no quicker way. */
export const toWarehouseRow = (row: EventRow): WarehouseRow => ({
  identity: toHex(row.identity),
  digest: row.digest === null ? null : toHex(row.digest),
  outcome: row.outcome,
  namespace: row.namespace,
  id: row.id,
  source: row.source,
  type: row.type,
  subject: row.subject,
  time: formatInstant(row.time),
  data: row.data,
  attributes: row.attributes,
  published_at: row.publishedAt === null ? null : formatInstant(row.publishedAt),
  committed_at: formatInstant(row.committedAt),
  catalogue_version: row.catalogueVersion,
  matched_meters: row.matchedMeters,
});
