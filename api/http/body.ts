import type { z } from 'zod';
import { HTTP_BODY_BYTES_MAX } from '#domain/limits.ts';

/** A JSON document of one shape. */
export interface JsonBody<Schema extends z.ZodType = z.ZodType> {
  readonly kind: 'json';
  readonly schema: Schema;
  readonly mediaTypes: readonly string[];
  readonly bytesMax: number;
}

/** Bytes that the route reads itself, because it must keep them as they came. */
export interface RawBody {
  readonly kind: 'raw';
  /** By media type what a document of it looks like. */
  readonly content: Readonly<Record<string, z.ZodType>>;
  /** Whether other media types are for the route to judge. */
  readonly anyMediaType: boolean;
  readonly bytesMax: number;
}

export type Body = JsonBody | RawBody;

export type BodyOf<Sent> =
  Sent extends JsonBody<infer Schema> ? z.output<Schema> : Sent extends RawBody ? RawDocument : undefined;

export interface RawDocument {
  /** Lower case and without parameters; empty when the request names none. */
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What a request that is not a batch of events may hold. */
const DOCUMENT_BYTES_MAX = 1_024 * 1_024;

export const jsonBody = <Schema extends z.ZodType>(
  schema: Schema,
  { bytesMax = DOCUMENT_BYTES_MAX }: { readonly bytesMax?: number } = {},
): JsonBody<Schema> => ({ kind: 'json', schema, mediaTypes: ['application/json'], bytesMax });

/** RFC 7396: a field that is null is taken away, one that is left out stays. */
export const mergePatchBody = <Schema extends z.ZodType>(schema: Schema): JsonBody<Schema> => ({
  kind: 'json',
  schema,
  mediaTypes: ['application/merge-patch+json', 'application/json'],
  bytesMax: DOCUMENT_BYTES_MAX,
});

export const rawBody = (
  content: RawBody['content'],
  { anyMediaType = false }: { readonly anyMediaType?: boolean } = {},
): RawBody => ({ kind: 'raw', content, anyMediaType, bytesMax: HTTP_BODY_BYTES_MAX });
