import type { Readable } from 'node:stream';
import type { Snapshot, protos } from '@google-cloud/spanner';
import { decodeValue } from './field.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';
import type { WireText, WireValue } from './field.ts';
import type { Layout } from './layout.ts';
import { streamPatience } from './patience.ts';
import type { StreamPatience } from './patience.ts';

type Chunk = protos.google.spanner.v1.IPartialResultSet;
type KeySet = protos.google.spanner.v1.IKeySet;
type RequestOptions = protos.google.spanner.v1.IRequestOptions;

/** A read by key or key range: the rows that are there, a range in the order of the key. */
export interface KeyRequest {
  readonly kind: 'keys';
  readonly table: string;
  readonly columns: readonly string[];
  readonly keySet: KeySet;
  /** Of single keys: Spanner may give the rows as it finds them. */
  readonly inAnyOrder?: true;
  readonly limit?: number;
}

export interface SqlRequest {
  readonly kind: 'sql';
  readonly sql: string;
  readonly params: Readonly<Record<string, WireValue>>;
  readonly types: Readonly<Record<string, { readonly type: string }>>;
}

export type RowRequest = KeyRequest | SqlRequest;

/** What both a snapshot and a transaction of the client library can do. */
export type Readers = Pick<Snapshot, 'createReadStream' | 'runStream'>;

export interface StreamOptions {
  readonly requestOptions: RequestOptions;
  readonly patience: StreamPatience;
}

/** `ORDER_BY_NO_ORDER` of the protocol, which the library passes on. */
const IN_ANY_ORDER = { orderBy: 2 } as const;

/** A slow consumer is no reason to give up: the library would after some seconds. */
const SLOW_READERS = { maxResumeRetries: Number.MAX_SAFE_INTEGER };

/** Values that the library would make objects of, some of them wrong: times before 1970. */
const AS_TEXT: ReadonlySet<unknown> = new Set(['INT64', 'TIMESTAMP', 'BYTES']);

/** Opens the stream of a request's rows; nothing is sent before it is read. */
export function openStream(readers: Readers, request: RowRequest, options: StreamOptions): Readable {
  const { requestOptions, patience } = options;
  const common = { requestOptions, gaxOptions: streamPatience(patience), ...SLOW_READERS };
  const stream =
    request.kind === 'keys'
      ? readers.createReadStream(request.table, {
          columns: [...request.columns],
          keySet: request.keySet,
          ...(request.inAnyOrder === true ? IN_ANY_ORDER : {}),
          ...(request.limit === undefined ? {} : { limit: request.limit }),
          ...common,
        })
      : readers.runStream({
          sql: request.sql,
          params: { fields: request.params },
          types: { ...request.types },
          ...common,
        });
  stream.on('response', takeAsText);
  // An error that comes when nobody listens any more must not end the process; who reads hears of it by a listener of its own.
  stream.on('error', () => undefined);
  return stream;
}

/** Has the library hand values out as they came. It looks at the types of the first chunk after it has shown that chunk. */
function takeAsText(chunk: Chunk): void {
  for (const { type } of chunk.metadata?.rowType?.fields ?? []) {
    if (type != null && AS_TEXT.has(type.code)) type.code = 'STRING';
  }
}

/**
 * The library's row: its values in the order of the columns that were asked for. Between rows it gives `undefined`, to find out whether its
 * reader is ready for more.
 */
type LibraryRow = readonly { readonly value: WireText }[];

export function decodeRow({ fields }: Layout, stored: LibraryRow): StoredRow {
  const row: Record<string, unknown> = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    row[field.name] = decodeValue(field, stored[i]?.value ?? null);
  }
  return row;
}

/** All rows of a stream. */
export function collectRows(stream: Readable, layout: Layout): Promise<StoredRow[]> {
  return new Promise((resolve, reject) => {
    const rows: StoredRow[] = [];
    stream.on('data', (stored: LibraryRow | undefined) => {
      try {
        if (stored !== undefined) rows.push(decodeRow(layout, stored));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        stream.destroy();
      }
    });
    stream.once('error', reject);
    stream.once('end', () => resolve(rows));
  });
}

/** The rows of a stream one by one, as fast as they are taken. Whoever leaves early ends the request. */
export async function* eachRow(stream: Readable, layout: Layout): AsyncGenerator<StoredRow, void> {
  try {
    for await (const stored of stream) {
      if (stored !== undefined) yield decodeRow(layout, stored as LibraryRow);
    }
  } finally {
    stream.destroy();
  }
}
