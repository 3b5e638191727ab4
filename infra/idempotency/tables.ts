import { column, defineTable, jsonColumn } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';

/** The first answer to a request that came with an `Idempotency-Key`. */
export const idempotencyKey = defineTable('idempotency_key', {
  columns: {
    namespace: column('string'),
    /** Who asked. Two principals may use the same key. */
    principal: column('string'),
    /** What was asked for, such as `PUT /v1/meters/{key}`. */
    route: column('string'),
    key: column('string'),
    /** SHA-256 of the request, in hex. */
    requestHash: column('string'),
    status: column('int64'),
    headers: jsonColumn<Readonly<Record<string, string>>>(),
    /** JSON text, so that the answer comes back as it was, down to the order of its members. */
    body: column('string'),
    createdAt: column('timestamp'),
    expiresAt: column('timestamp'),
  },
  key: ['namespace', 'principal', 'route', 'key'],
  timeToLive: { column: 'expiresAt', days: 0, unit: 'micros' },
  // Whoever asks chooses the keys, and many count them up. They are only ever read one by one.
  spread: { by: ['namespace', 'principal', 'route', 'key'], key: true },
});

export const IDEMPOTENCY_TABLES: readonly Table<object>[] = [idempotencyKey];
