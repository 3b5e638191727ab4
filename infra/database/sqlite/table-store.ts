import type { Instant } from '#domain/instant.ts';
import type { ScanOptions } from '#infra/database/database.ts';
import type { Key, KeyRange } from '#infra/database/table.ts';
import type { Connection } from './connection.ts';
import type { StoredRow } from '#infra/database/field.ts';

/** A buffered write. */
export type Mutation =
  | { readonly kind: 'insert' | 'update' | 'upsert'; readonly row: StoredRow }
  | { readonly kind: 'delete'; readonly key: Key };

/** One table in its layout. A connection passed in is inside a transaction, so that all it shows is one snapshot. */
export interface TableStore {
  read(connection: Connection, keys: readonly Key[]): (StoredRow | undefined)[];
  scan(connection: Connection, range: KeyRange, options: Omit<ScanOptions, 'at'>): Generator<StoredRow, void>;
  /** Writes the mutations in their order; what it returns is called once they are committed, to let memory know. */
  apply(connection: Connection, mutations: readonly Mutation[], committedAt: Instant): () => void;
  /** Deletes at most about `limit` rows whose time to live ended before `now`, and says how many. */
  expire(connection: Connection, now: Instant, limit: number): number;
}
