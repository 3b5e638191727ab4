/** How each keyword holds further schemas, or that it holds none. */
export type KeywordKind = 'schema' | 'schemas' | 'named' | 'plain';

/**
 * The keywords of JSON Schema 2020-12 that a schema may use: a closed list. What is not in it would change the place that others count
 * from (`$id`, `$anchor`, `$dynamicRef`) or what was judged before (`unevaluatedProperties`), and nobody could say what a schema costs.
 */
export const SCHEMA_KEYWORDS: ReadonlyMap<string, KeywordKind> = new Map([
  ...(
    ['additionalProperties', 'propertyNames', 'items', 'contains', 'not', 'if', 'then', 'else'] as const
  ).map((name) => [name, 'schema'] as const),
  ...(['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const).map((name) => [name, 'schemas'] as const),
  ...(['properties', 'patternProperties', '$defs', 'dependentSchemas'] as const).map(
    (name) => [name, 'named'] as const,
  ),
  ...(
    [
      '$ref',
      'type',
      'enum',
      'const',
      'format',
      'pattern',
      'minLength',
      'maxLength',
      'minimum',
      'maximum',
      'exclusiveMinimum',
      'exclusiveMaximum',
      'multipleOf',
      'minItems',
      'maxItems',
      'uniqueItems',
      'minContains',
      'maxContains',
      'minProperties',
      'maxProperties',
      'required',
      'dependentRequired',
    ] as const
  ).map((name) => [name, 'plain'] as const),
]);

/** Says something to people and nothing to the validator. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$schema',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
]);

export const SCHEMA_DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Formats whose checks cost time in proportion to the text. */
export const SCHEMA_FORMATS = [
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
] as const;
