import { EVENT_TYPES_WITH_SCHEMA_MAX } from '#domain/limits.ts';
import type { Reads } from '#infra/database/database.ts';
import { compileSchema, type DataCheck } from './compile-schema.ts';
import { eventType } from './tables.ts';

/** What the data of a type's events has to look like, and what becomes of an event whose data does not. */
export interface EventSchema {
  readonly enforce: 'reject' | 'report';
  /** What is wrong with data given as canonical JSON text; empty when nothing is. */
  validate(dataText: string): readonly string[];
}

/** The schemas of a namespace, by event type, each made ready when the first event asks for it. */
export async function loadSchemas(
  from: Reads,
  namespace: string,
): Promise<(type: string) => EventSchema | undefined> {
  const schemas = new Map<string, EventSchema>();
  for await (const { type, schema, enforce } of from.scan(eventType, { prefix: [namespace] }))
    if (schema !== null)
      schemas.set(type, {
        enforce: enforce as EventSchema['enforce'],
        validate: (dataText) => dataCheckOf(schema)(dataText),
      });
  return (type) => schemas.get(type);
}

/** As many as one namespace can have; others are compiled again when they are needed. */
const CHECKS_KEPT_MAX = EVENT_TYPES_WITH_SCHEMA_MAX;
/** By the text of the schema, the one used last in the last place. A check is a fixed function of that text: keeping it only saves time. */
const checks = new Map<string, DataCheck>();

/** Compiled once however often the catalogue is loaded again. */
function dataCheckOf(schema: string): DataCheck {
  const check = checks.get(schema) ?? compileSchema(schema);
  checks.delete(schema);
  checks.set(schema, check);
  if (checks.size > CHECKS_KEPT_MAX) checks.delete(checks.keys().next().value ?? '');
  return check;
}
