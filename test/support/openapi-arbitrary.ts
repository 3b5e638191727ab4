import fc from 'fast-check';
import { openApi, type JsonSchema } from './openapi.ts';

/** Values that break what was not thought of. */
const NASTY_TEXT = [
  '',
  ' ',
  '.',
  '..',
  '%00',
  '\u0000',
  '\ud800',
  'a'.repeat(257),
  'é'.repeat(128),
  '__proto__',
  'constructor',
  '=1+1',
  "' OR 1=1 --",
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59.999999Z',
  '0001-01-01T00:00:00Z',
  'P1000000M',
  'PT0S',
  'Europe/Atlantis',
  '1e400',
  '-0',
  '0.0000000000000000001',
  '99999999999999999999999999',
] as const;

const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...NASTY_TEXT),
  fc.constantFrom<unknown>(null, true, 0, -1, 2 ** 53, 1e308, [], {}, [[[]]], { a: null }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** How many of the values are not of the schema. */
const NASTY_WEIGHT = 1;
const FITTING_WEIGHT = 6;

/** Values of a schema, most of them fitting it, some of them not. */
export function arbitraryOf(schema: JsonSchema, depth = 0): fc.Arbitrary<unknown> {
  const fitting = fittingOf(schema, depth);
  return fc.oneof(
    { weight: FITTING_WEIGHT, arbitrary: fitting },
    { weight: NASTY_WEIGHT, arbitrary: nastyValue },
  );
}

const DEPTH_MAX = 5;

function fittingOf(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (depth > DEPTH_MAX) return fc.constant(null);
  if (typeof schema['$ref'] === 'string') return fittingOf(resolve(schema['$ref']), depth + 1);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  if ('const' in schema) return fc.constant(schema['const']);
  if (schema['example'] !== undefined && depth > 0)
    return fc.oneof(fc.constant(schema['example']), typed(schema, depth));
  return typed(schema, depth);
}

function typed(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const members = (schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']) as JsonSchema[] | undefined;
  if (members !== undefined) return fc.oneof(...members.map((each) => fittingOf(each, depth + 1)));
  const type: unknown = Array.isArray(schema['type']) ? (schema['type'] as unknown[])[0] : schema['type'];
  switch (type) {
    case 'object':
      return objectOf(schema, depth);
    case 'array':
      return fc.array(arbitraryOf((schema['items'] ?? {}) as JsonSchema, depth + 1), { maxLength: 4 });
    case 'string':
      return stringOf(schema);
    case 'integer':
      return fc.integer({
        min: Number(schema['minimum'] ?? -10),
        max: Number(schema['maximum'] ?? 1_000_000),
      });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objectOf(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
  const required = new Set((schema['required'] ?? []) as string[]);
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, each]) => [name, arbitraryOf(each, depth + 1)]),
  );
  const named = fc.record(model, { requiredKeys: [...required] });
  const extra = schema['additionalProperties'];
  if (extra === undefined || extra === false) return named;
  const values = extra === true ? fc.jsonValue({ maxDepth: 1 }) : arbitraryOf(extra as JsonSchema, depth + 1);
  return fc
    .tuple(named, fc.dictionary(fc.string({ maxLength: 12 }), values, { maxKeys: 3 }))
    .map(([known, more]) => ({ ...more, ...known }));
}

function stringOf(schema: JsonSchema): fc.Arbitrary<string> {
  if (schema['format'] === 'date-time')
    return fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((at) => at.toISOString());
  if (typeof schema['pattern'] === 'string') return fc.stringMatching(new RegExp(schema['pattern'], 'u'));
  return fc.string({ maxLength: 40, unit: 'grapheme' });
}

function resolve(reference: string): JsonSchema {
  let at: unknown = openApi;
  for (const part of reference.replace('#/', '').split('/')) at = (at as Record<string, unknown>)[part];
  return at as JsonSchema;
}
