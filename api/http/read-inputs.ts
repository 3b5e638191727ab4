import type { Request } from 'express';
import type { z } from 'zod';
import type { Body, RawDocument } from './body.ts';
import { JsonTooDeep, parseExactJson } from './exact-json.ts';
import { Problem, VIOLATIONS_MAX, type Violation } from './problem.ts';
import { parseQueryString } from './query-string.ts';
import type { PathParameters } from './route-table.ts';
import type { Route } from './route.ts';

export interface Inputs {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

type Parse = (schema: z.ZodType | undefined, value: unknown, prefix: string) => unknown;

/** Reads path, query and body into the shapes that the route declares. Throws one problem that names every violation. */
export function readInputs(route: Route, parameters: PathParameters, request: Request): Inputs {
  const violations: Violation[] = [];
  const parse: Parse = (schema, value, prefix) => {
    if (schema === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    violations.push(...violationsOf(parsed.error, prefix));
    return undefined;
  };
  const inputs = {
    path: parse(route.parameters?.path, parameters, 'path:'),
    query: readQuery(route.parameters?.query, request.url, parse),
    body: readBody(route.body, request, parse),
  };
  if (violations.length > 0) throw invalidRequest(violations);
  return inputs;
}

/** Reads a value that a route put together itself. Throws as if it had come in the body. */
export function parseWith<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(violationsOf(parsed.error, ''));
}

export function invalidRequest(violations: readonly Violation[]): Problem {
  const more = violations.length > VIOLATIONS_MAX ? `, of which the first ${VIOLATIONS_MAX} are named` : '';
  const count = violations.length === 1 ? 'one violation' : `${violations.length} violations`;
  return new Problem('invalid_request', `the request has ${count}${more}`, { violations });
}

/** What a call asks for that has no query, by its schema: mostly defaults, always the same, and most calls have none. */
const unasked = new WeakMap<z.ZodType, unknown>();

function readQuery(schema: z.ZodType | undefined, url: string, parse: Parse): unknown {
  const at = url.indexOf('?');
  if (at >= 0) return parse(schema, parseQuery(url.slice(at + 1)), 'query:');
  if (schema === undefined) return undefined;
  const known = unasked.get(schema) ?? Object.freeze(parse(schema, {}, 'query:'));
  // Where a parameter must be there, every call without one has to be told so.
  if (known !== undefined) unasked.set(schema, known);
  return known;
}

function parseQuery(search: string): unknown {
  try {
    return { ...parseQueryString(search) };
  } catch (error) {
    const message = error instanceof Error ? error.message : 'the query string cannot be read';
    throw invalidRequest([{ pointer: 'query:', code: 'invalid_query_string', message }]);
  }
}

function readBody(body: Body | undefined, request: Request, parse: Parse): unknown {
  if (body === undefined) return undefined;
  const document = rawDocument(request);
  if (body.kind === 'raw') {
    if (!body.anyMediaType) checkMediaType(document, Object.keys(body.content));
    return document;
  }
  checkMediaType(document, body.mediaTypes);
  return parse(body.schema, parseJson(document.bytes), '');
}

export const mediaTypeOf = (request: Request): string =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/** The body parser leaves the body unset when the request has none. */
const rawDocument = (request: Request): RawDocument => ({
  mediaType: mediaTypeOf(request),
  bytes: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
});

function checkMediaType({ mediaType }: RawDocument, taken: readonly string[]): void {
  if (taken.includes(mediaType)) return;
  const given = mediaType === '' ? 'no Content-Type' : `the Content-Type ${mediaType}`;
  throw new Problem('unsupported_media_type', `the body has ${given}; this call takes ${taken.join(', ')}`);
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseExactJson(bytes);
  } catch (error) {
    if (error instanceof JsonTooDeep) throw new Problem('too_large', error.message);
    throw new Problem(
      'malformed_json',
      `the body is no JSON: ${error instanceof Error ? error.message : ''}`,
    );
  }
}

/** Every violation that zod found; a union's are those of its closest member. */
function violationsOf(error: z.core.$ZodError, prefix: string): Violation[] {
  return error.issues
    .flatMap((issue) => flatten(issue, []))
    .map(({ path, code, message }) => ({
      pointer: pointerOf(path, prefix),
      code,
      message,
    }));
}

interface Flat {
  readonly path: readonly PropertyKey[];
  readonly code: string;
  readonly message: string;
}

function flatten(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Flat[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const closest = issue.errors.toSorted((a, b) => depthOf(b) - depthOf(a))[0] ?? [];
    if (depthOf(closest) > 0) return closest.flatMap((inner) => flatten(inner, path));
    const kinds = [...new Set(issue.errors.flat().map(messageOf))];
    if (kinds.includes(MISSING)) return [{ path, code: issue.code, message: MISSING }];
    return [{ path, code: issue.code, message: kinds.join(', or ') }];
  }
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...path, key],
      code: 'unknown_field',
      message: 'there is no such field',
    }));
  return [{ path, code: issue.code, message: messageOf(issue) }];
}

const MISSING = 'must be given';

/** What is not there has no type; that another one was expected says nothing of it. */
const messageOf = ({ message }: { readonly message: string }): string =>
  message.endsWith('received undefined') ? MISSING : message;

const depthOf = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map(({ path }) => path.length));

/** RFC 6901: `~` and `/` are escaped. In a query or a path there is one name, and rarely something below it. */
function pointerOf(path: readonly PropertyKey[], prefix: string): string {
  const parts = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
  return prefix === '' ? parts.map((part) => `/${part}`).join('') : `${prefix}${parts.join('/')}`;
}
