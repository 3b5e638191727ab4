import type { Scope } from '#domain/access/scope.ts';
import { column, defineTable, jsonColumn, nullable } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/** How long a key that is not valid any more stays in the list. */
const ENDED_KEY_DAYS = 90;

export const apiKey = defineTable('api_key', {
  columns: {
    namespace: column('string'),
    /** UUID v7: keys list in the order they were made. */
    id: column('string'),
    name: column('string'),
    /** The beginning of the secret, for its owner to recognise it by. */
    prefix: column('string'),
    /** SHA-256 of the secret, in hex. The secret itself is nowhere. */
    hash: column('string'),
    scopes: jsonColumn<readonly Scope[]>(),
    createdAt: column('timestamp'),
    /** From when on it is not valid; a rotation and a revocation bring it nearer. Null: valid for good. */
    expiresAt: nullable('timestamp'),
    revokedAt: nullable('timestamp'),
    /** The id of the key that a rotation put in its place. */
    replacedBy: nullable('string'),
  },
  key: ['namespace', 'id'],
  indexes: {
    byHash: { columns: ['hash'], unique: true },
    /** Finds the valid keys of a namespace without reading those that have ended. */
    byExpiry: { columns: ['namespace', 'expiresAt'] },
  },
  timeToLive: { column: 'expiresAt', days: ENDED_KEY_DAYS, unit: 'micros' },
  layout: { kind: 'rows', settled: 'catalogue' },
});

export type ApiKeyRow = Row<typeof apiKey>;

export const ACCESS_TABLES: readonly Table<object>[] = [apiKey];
