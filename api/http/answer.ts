import type { z } from 'zod';

export type AnswerHeaders = Readonly<Record<string, string>>;

/** What a route answers: a JSON document, text in chunks, bytes, or nothing. */
export type AnswerBody<Value = unknown> =
  | { readonly kind: 'json'; readonly value: Value; readonly contentType?: string }
  | { readonly kind: 'stream'; readonly contentType: string; readonly chunks: AsyncIterable<string> }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'bytes'; readonly contentType: string; readonly bytes: Uint8Array }
  | { readonly kind: 'text'; readonly contentType: string; readonly text: string }
  | { readonly kind: 'none' };

export interface Answer<Status extends number = number, Value = unknown> {
  readonly status: Status;
  readonly headers: AnswerHeaders;
  readonly body: AnswerBody<Value>;
}

/** What a status means, and the shapes its body can have by media type. */
export interface DeclaredAnswer {
  readonly description: string;
  readonly json?: z.ZodType;
  /** Further media types, described by their name only. */
  readonly mediaTypes?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}
export type DeclaredAnswers = Readonly<Record<number, DeclaredAnswer>>;

/** Read-only all the way down: an answer is never changed once it is made. */
export type Frozen<Value> = Value extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Frozen<Value[Name]> }
    : Value;

/** The answers that a route may give: one of its statuses with that status' shape. */
export type AnswersOf<Declared> = {
  [Status in keyof Declared & number]: Answer<
    Status,
    Declared[Status] extends { readonly json: infer Schema extends z.ZodType }
      ? Frozen<z.input<Schema>>
      : never
  >;
}[keyof Declared & number];

export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

export const json = <const Status extends number, const Value>(
  status: Status,
  value: Value,
  headers: AnswerHeaders = {},
): Answer<Status, Value> => ({ status, headers, body: { kind: 'json', value } });

export const noContent = (): Answer<204, never> => ({ status: 204, headers: {}, body: { kind: 'none' } });

export const stream = <const Status extends number>(
  status: Status,
  contentType: string,
  chunks: AsyncIterable<string>,
): Answer<Status, never> => ({ status, headers: {}, body: { kind: 'stream', contentType, chunks } });

export const text = <const Status extends number>(
  status: Status,
  contentType: string,
  content: string,
): Answer<Status, never> => ({ status, headers: {}, body: { kind: 'text', contentType, text: content } });

export const bytes = <const Status extends number>(
  status: Status,
  contentType: string,
  content: Uint8Array,
): Answer<Status, never> => ({ status, headers: {}, body: { kind: 'bytes', contentType, bytes: content } });

export const file = (path: string): Answer<200, never> => ({
  status: 200,
  headers: {},
  body: { kind: 'file', path },
});
