import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_KEYWORDS_MAX } from '#domain/limits.ts';
import { pointerStep, type Violation } from '#domain/violation.ts';
import { ANNOTATIONS, SCHEMA_DIALECT, SCHEMA_FORMATS, SCHEMA_KEYWORDS } from './schema-keywords.ts';
import { compilePattern } from './schema-pattern.ts';

type SchemaObject = Readonly<Record<string, unknown>>;

/** Far more would help nobody. */
const VIOLATIONS_MAX = 100;
/** A step of a pattern costs a fraction of a keyword. */
const PATTERN_STEPS_PER_KEYWORD = 20;

/**
 * All that keeps a schema from being used besides its own form (`compile-schema.ts` looks at that): keywords that are not supported,
 * references that lead away or round in circles, patterns that no linear matcher takes, and what it would cost to judge a value by it.
 */
export function checkSchema(schema: unknown): Violation[] {
  const text = JSON.stringify(schema) ?? '';
  if (Buffer.byteLength(text, 'utf8') > SCHEMA_BYTES_MAX)
    return [{ pointer: '', code: 'too_large', message: `has more than ${SCHEMA_BYTES_MAX} bytes` }];
  if (depthOf(schema) > SCHEMA_DEPTH_MAX)
    return [{ pointer: '', code: 'too_deep', message: `is nested more than ${SCHEMA_DEPTH_MAX} deep` }];
  if (!isObject(schema))
    return [{ pointer: '', code: 'invalid_schema', message: 'is a JSON Schema, which is an object' }];
  const walk: Walk = { root: schema, violations: [], costs: new Map() };
  checkNode(walk, schema, '');
  if (walk.violations.length > 0) return walk.violations.slice(0, VIOLATIONS_MAX);
  return judgeCost(costOf(walk, schema));
}

function judgeCost(cost: number): Violation[] {
  if (cost === Infinity)
    return [
      { pointer: '', code: 'recursive_ref', message: 'refers to itself: a $ref leads back to where it is' },
    ];
  if (cost <= SCHEMA_KEYWORDS_MAX) return [];
  const message = `has more than ${SCHEMA_KEYWORDS_MAX} keywords and values, with every $ref written out`;
  return [{ pointer: '', code: 'too_many_keywords', message }];
}

interface Walk {
  readonly root: SchemaObject;
  readonly violations: Violation[];
  /** 'open' while the cost of a schema is being added up: a reference back to it would go round for ever. */
  readonly costs: Map<SchemaObject, number | 'open'>;
}

const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const depthOf = (value: unknown, depth = 0): number =>
  typeof value !== 'object' || value === null || depth > SCHEMA_DEPTH_MAX
    ? depth
    : Math.max(depth + 1, ...Object.values(value).map((each) => depthOf(each, depth + 1)));

function checkNode(walk: Walk, node: unknown, pointer: string): void {
  // Whatever is not an object is a boolean schema, or against the form.
  if (!isObject(node)) return;
  for (const [keyword, value] of Object.entries(node)) {
    const place = `${pointer}/${pointerStep(keyword)}`;
    checkKeyword(walk, keyword, value, place);
    for (const [step, child] of childrenOf(keyword, value)) checkNode(walk, child, `${place}${step}`);
  }
}

function checkKeyword(walk: Walk, keyword: string, value: unknown, pointer: string): void {
  const fault = faultOf(walk, keyword, value);
  if (fault !== undefined) walk.violations.push({ pointer, ...fault });
  if (keyword !== 'patternProperties' || !isObject(value)) return;
  for (const pattern of Object.keys(value)) {
    const wrong = patternFault(pattern);
    if (wrong !== undefined)
      walk.violations.push({ pointer: `${pointer}/${pointerStep(pattern)}`, ...wrong });
  }
}

type Fault = Pick<Violation, 'code' | 'message'>;

function faultOf({ root }: Walk, keyword: string, value: unknown): Fault | undefined {
  switch (keyword) {
    case '$schema':
      return value === SCHEMA_DIALECT
        ? undefined
        : { code: 'unsupported_dialect', message: `is ${SCHEMA_DIALECT}, or left out` };
    case '$ref':
      return typeof value !== 'string' || target(root, value) !== undefined
        ? undefined
        : { code: 'unknown_ref', message: 'leads to no schema in this document, such as #/$defs/name' };
    case 'pattern':
      return typeof value === 'string' ? patternFault(value) : undefined;
    case 'format':
      return typeof value !== 'string' || (SCHEMA_FORMATS as readonly string[]).includes(value)
        ? undefined
        : { code: 'unsupported_format', message: `is one of ${SCHEMA_FORMATS.join(', ')}` };
    default:
      return SCHEMA_KEYWORDS.has(keyword) || ANNOTATIONS.has(keyword)
        ? undefined
        : { code: 'unsupported_keyword', message: `${keyword} is no keyword that is supported` };
  }
}

function patternFault(pattern: string): Fault | undefined {
  const compiled = compilePattern(pattern);
  return 'fault' in compiled ? { code: 'unsupported_pattern', message: compiled.fault } : undefined;
}

/** The schemas right below a keyword, with the rest of their pointers. */
function childrenOf(keyword: string, value: unknown): [string, unknown][] {
  switch (SCHEMA_KEYWORDS.get(keyword)) {
    case 'schema':
      return [['', value]];
    case 'schemas':
      return Array.isArray(value) ? value.map((each: unknown, place) => [`/${place}`, each]) : [];
    case 'named':
      return isObject(value)
        ? Object.entries(value).map(([name, each]) => [`/${pointerStep(name)}`, each])
        : [];
    case 'plain':
    case undefined:
      return [];
  }
}

/** The schema that a reference within the document names; undefined when there is none there. */
function target(root: SchemaObject, ref: string): SchemaObject | boolean | undefined {
  if (ref === '#') return root;
  if (!/^#\/\$defs\/[^/]+$/.test(ref)) return undefined;
  const { $defs } = root;
  const name = unescapedStep(ref.slice('#/$defs/'.length));
  if (name === undefined || !isObject($defs) || !Object.hasOwn($defs, name)) return undefined;
  const found = $defs[name];
  return isObject(found) || typeof found === 'boolean' ? found : undefined;
}

function unescapedStep(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}

/** How many keywords judging a value can come to, with references written out; infinite where they go round in circles. */
function costOf(walk: Walk, node: unknown): number {
  if (!isObject(node)) return 1;
  const known = walk.costs.get(node);
  if (known !== undefined) return known === 'open' ? Infinity : known;
  walk.costs.set(node, 'open');
  let cost = 1;
  for (const [keyword, value] of Object.entries(node)) {
    // Definitions cost where they are referred to.
    if (keyword === '$defs' || ANNOTATIONS.has(keyword)) continue;
    cost += ownCost(keyword, value);
    for (const [, child] of childrenOf(keyword, value)) cost += costOf(walk, child);
    if (keyword === '$ref' && typeof value === 'string') cost += costOf(walk, target(walk.root, value));
  }
  walk.costs.set(node, cost);
  return cost;
}

function ownCost(keyword: string, value: unknown): number {
  if (keyword === 'pattern') return patternCost(String(value));
  if (keyword === 'patternProperties' && isObject(value))
    return Object.keys(value).reduce((sum, pattern) => sum + patternCost(pattern), 0);
  if (Array.isArray(value)) return value.length;
  return keyword === 'dependentRequired' && isObject(value) ? Object.values(value).flat().length : 1;
}

function patternCost(pattern: string): number {
  const compiled = compilePattern(pattern);
  return 'fault' in compiled ? 1 : 1 + Math.ceil(compiled.steps / PATTERN_STEPS_PER_KEYWORD);
}
