import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiHeadersObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import type { DeclaredAnswer } from './answer.ts';
import type { Body } from './body.ts';
import { PROBLEM_CODES, type ProblemCode } from './problem-codes.ts';
import type { Route } from './route.ts';

export const OPENAPI_VERSION = '3.1.0';

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(PROBLEM_CODES) as [ProblemCode, ...ProblemCode[]]),
    violations: z.array(
      z.object({
        pointer: z.string().meta({
          description: 'A JSON pointer into the body, or `query:<name>`, `path:<name>`, `header:<name>`.',
        }),
        code: z.string(),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'Problem', description: 'RFC 9457. `code` is stable: programs decide by it.' });

/** The OpenAPI document of these routes; the same routes give the same document. */
export function openApiDocument(routes: readonly Route[], version: string) {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return createDocument({
    openapi: OPENAPI_VERSION,
    info: {
      title: 'Millrace',
      version,
      description:
        'Usage metering and billing. Quantities and money are decimal strings, times are RFC 3339, ranges are [from, to). ' +
        'Errors are `application/problem+json`; their codes are listed at `/docs/problems`.',
    },
    tags: TAGS.map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key of one namespace.' },
      },
    },
  });
}

/** In the order in which a newcomer meets them. */
const TAGS = [
  ['Meters', 'What is counted, of which events'],
  ['Events', 'What happened: sent in, looked up, corrected'],
  ['Event types', 'What the data of an event has to look like'],
  ['Dead letters', 'What was refused, why, and how to have it after all'],
  ['Usage', 'How much, by whom, when'],
  ['Features', 'What customers see, and limits are set on'],
  ['Customers', 'Who owns which subjects'],
  ['Sellers', 'Legal entities that invoices come from'],
  ['Quotas', 'Limits, checks and reservations'],
  ['Rating', 'What prices and periods come to'],
  ['Plans', 'What is sold: versions, phases, charges'],
  ['Invoices', 'What is owed: previews, documents, their states, and runs over all customers'],
  ['Subscriptions', 'Who has bought what, since when and until when'],
  ['API keys', 'Who may do what'],
  ['Operation', 'How it stands'],
  ['Documentation', 'This document'],
] as const;

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { name, tag, summary, description, scope, parameters, body } = route;
  return {
    operationId: name,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: scope === 'open' ? [] : [{ apiKey: [] }],
    ...(scope === 'open' ? {} : { 'x-scope': scope }),
    requestParams: {
      ...(parameters?.path && { path: parameters.path }),
      ...(parameters?.query && { query: parameters.query }),
      ...(takesIdempotencyKey(route) && { header: IDEMPOTENCY_HEADER }),
    },
    ...(body && { requestBody: { required: true, content: contentOf(body) } }),
    responses: { ...answersOf(route), ...problemsOf(route) },
  };
}

const IDEMPOTENCY_HEADER = z.object({
  'Idempotency-Key': z.string().min(1).max(255).optional().meta({
    description:
      'The same key with the same request gives the first answer again: for 24 hours, or 30 days where it is about money.',
  }),
});

const takesIdempotencyKey = ({ work }: Route): boolean =>
  work.kind === 'change' || (work.kind === 'handle' && work.idempotent);

const contentOf = (body: Body) =>
  body.kind === 'json'
    ? Object.fromEntries(body.mediaTypes.map((type) => [type, { schema: body.schema }]))
    : Object.fromEntries(Object.entries(body.content).map(([type, schema]) => [type, { schema }]));

const answersOf = ({ answers }: Route): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(answers).map(([status, answer]: [string, DeclaredAnswer]) => [status, answerOf(answer)]),
  );

const answerOf = ({
  description,
  json,
  mediaTypes = [],
  headers = {},
}: DeclaredAnswer): ZodOpenApiResponseObject => {
  const content: Record<string, { schema: z.ZodType }> = {};
  if (json !== undefined) content['application/json'] = { schema: json };
  for (const type of mediaTypes) content[type] = { schema: z.string() };
  const described: ZodOpenApiHeadersObject = {};
  for (const [name, text] of Object.entries(headers))
    described[name] = { description: text, schema: { type: 'string' } };
  return {
    description,
    ...(Object.keys(content).length > 0 ? { content } : {}),
    ...(Object.keys(described).length > 0 ? { headers: described } : {}),
  };
};

/** What can go wrong with this call, by status. */
function problemsOf(route: Route) {
  const byStatus = Map.groupBy(problemCodesOf(route), (code) => PROBLEM_CODES[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEM_CODES[code].title}.`).join(' '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}

export function problemCodesOf(route: Route): ProblemCode[] {
  const codes = new Set<ProblemCode>([
    'invalid_request',
    'internal_error',
    'store_unavailable',
    'headers_too_large',
    'request_timeout',
  ]);
  if (route.scope !== 'open')
    ['unauthenticated' as const, 'scope_missing' as const].forEach((code) => codes.add(code));
  if (route.body !== undefined)
    ['malformed_json' as const, 'too_large' as const, 'unsupported_media_type' as const].forEach((code) =>
      codes.add(code),
    );
  if (takesIdempotencyKey(route)) {
    codes.add('idempotency_key_reused');
    codes.add('idempotency_key_in_flight');
  }
  for (const code of route.problems ?? []) codes.add(code);
  return [...codes].sort();
}
