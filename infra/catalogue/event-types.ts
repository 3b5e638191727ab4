import { EVENT_TYPES_WITH_SCHEMA_MAX, NAME_BYTES_MAX } from '#domain/limits.ts';
import { checkPrintable, type Violation } from '#domain/violation.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import type { Row } from '#infra/usage/tables.ts';
import { schemaViolations } from './compile-schema.ts';
import { CatalogueError } from './errors.ts';
import { readCatalogueRow } from './load-catalogue.ts';
import type { EventSchema } from './load-schemas.ts';
import { catalogue, eventType } from './tables.ts';

/** What becomes of an event whose data is not as its schema asks: a dead letter, or only a count. */
export type Enforcement = EventSchema['enforce'];
export const ENFORCEMENTS: readonly Enforcement[] = ['reject', 'report'];

/** An event type as it is saved. The schema is a JSON document again. */
export interface EventType {
  readonly namespace: string;
  readonly type: string;
  readonly version: number;
  readonly schema: unknown;
  readonly enforce: Enforcement;
  readonly since: number;
}

export interface PutEventType {
  readonly namespace: string;
  readonly type: string;
  /** A JSON Schema (2020-12) of `data`; null: anything goes. */
  readonly schema: unknown;
  readonly enforce: Enforcement;
}

export interface SavedEventType {
  readonly eventType: EventType;
  readonly change: 'created' | 'updated' | 'unchanged';
}

/**
 * Saves what is said of the events of a type. It holds for the events that are committed after it, whatever any process has in memory,
 * since it raises the catalogue's version. Throws `CatalogueError`: `invalid_event_type` with every violation, `too_many_event_types`.
 */
export async function putEventType(
  tx: Transaction,
  { namespace, type, schema, enforce }: PutEventType,
): Promise<SavedEventType> {
  const violations = checkEventType({ namespace, type, schema, enforce });
  if (violations.length > 0)
    throw new CatalogueError('invalid_event_type', sentenceOf(violations), violations);
  const schemaText = schema === null ? null : JSON.stringify(schema);
  const [row, before] = await Promise.all([readCatalogueRow(tx, namespace), readRow(tx, namespace, type)]);
  if (before === undefined) await checkRoom(tx, namespace);
  if (before !== undefined && before.schema === schemaText && before.enforce === enforce)
    return { eventType: toEventType(before), change: 'unchanged' };
  const since = row.version + 1;
  const version = (before?.version ?? 0) + 1;
  const after = {
    namespace,
    type,
    version,
    schema: schemaText,
    enforce,
    since,
    committedAt: commitTimestamp,
  };
  tx.upsert(catalogue, { ...row, version: since });
  tx.upsert(eventType, after);
  return { eventType: toEventType(after), change: before === undefined ? 'created' : 'updated' };
}

/** What is said of a type; undefined when nothing was ever. */
export async function readEventType(
  from: Reads,
  namespace: string,
  type: string,
): Promise<EventType | undefined> {
  const row = await readRow(from, namespace, type);
  return row && toEventType(row);
}

/** Event types by name; `after` is the last one of the page before. */
export async function listEventTypes(
  from: Reads,
  namespace: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<EventType[]> {
  // The range is closed below, so the row named by `after` itself comes first.
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after }) };
  const rows = await Array.fromAsync(from.scan(eventType, range, { limit: limit + 1 }));
  return rows
    .filter(({ type }) => type !== after)
    .slice(0, limit)
    .map(toEventType);
}

type EventTypeRow = Row<typeof eventType>;

async function readRow(from: Reads, namespace: string, type: string): Promise<EventTypeRow | undefined> {
  const [row] = await from.read(eventType, [[namespace, type]]);
  return row;
}

const toEventType = ({ namespace, type, version, schema, enforce, since }: EventTypeRow): EventType => ({
  namespace,
  type,
  version,
  schema: schema === null ? null : (JSON.parse(schema) as unknown),
  enforce: enforce as Enforcement,
  since,
});

function checkEventType({ type, schema, enforce }: PutEventType): Violation[] {
  const ofSchema = schema === null ? [] : schemaViolations(schema);
  return [
    ...checkPrintable('', type, NAME_BYTES_MAX),
    ...(ENFORCEMENTS.includes(enforce)
      ? []
      : [{ pointer: '/enforce', code: 'unknown', message: `is one of ${ENFORCEMENTS.join(', ')}` }]),
    ...ofSchema.map((violation) => ({ ...violation, pointer: `/schema${violation.pointer}` })),
  ];
}

async function checkRoom(tx: Transaction, namespace: string): Promise<void> {
  const rows = await Array.fromAsync(
    tx.scan(eventType, { prefix: [namespace] }, { limit: EVENT_TYPES_WITH_SCHEMA_MAX }),
  );
  if (rows.length < EVENT_TYPES_WITH_SCHEMA_MAX) return;
  throw new CatalogueError(
    'too_many_event_types',
    `the namespace says something of ${EVENT_TYPES_WITH_SCHEMA_MAX} event types already, the most it can`,
  );
}
