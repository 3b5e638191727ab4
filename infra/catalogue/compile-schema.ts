import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats, { type FormatName } from 'ajv-formats';
import type { Violation } from '#domain/violation.ts';
import { checkSchema } from './check-schema.ts';
import { SCHEMA_DIALECT, SCHEMA_FORMATS } from './schema-keywords.ts';
import { compilePattern } from './schema-pattern.ts';

/**
 * What is wrong with data given as JSON text, in at most a few sentences; empty when nothing is. Numbers are compared as doubles here,
 * although meters read every digit: `{"const": 9007199254740993}` also takes 9007199254740992.
 */
export type DataCheck = (dataText: string) => readonly string[];

const VIOLATIONS_SHOWN_MAX = 5;
const VIOLATION_LENGTH_MAX = 200;
/** Of larger data only the first violation is looked for: each wrong value in it could have one. */
const EXPLAINED_LENGTH_MAX = 8 * 1_024;
/** Decimals to which a value is compared with a multiple, so that 0.3 is a multiple of 0.1. */
const MULTIPLE_DECIMALS = 12;

const OPTIONS: Options = {
  strict: true,
  // They would refuse schemas that say little about types, lengths or members, which the standard allows.
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  // A member that every object inherits, such as `constructor`, is none that an event has.
  ownProperties: true,
  multipleOfPrecision: MULTIPLE_DECIMALS,
  code: { regExp: Object.assign(linearPattern, { code: 'linearPattern' }) },
  logger: false,
};

function linearPattern(pattern: string): { test(text: string): boolean } {
  const compiled = compilePattern(pattern);
  if ('fault' in compiled) throw new Error(`a saved pattern does not compile: ${compiled.fault}`);
  return compiled;
}

/**
 * One for each schema, since an instance never forgets what it compiled. Without the schema of schemas, which only saving needs, that
 * costs little.
 */
function createAjv(options: Pick<Options, 'allErrors' | 'meta' | 'validateSchema'>): Ajv2020 {
  const ajv = new Ajv2020({ ...OPTIONS, ...options });
  addFormats.default(ajv, [...SCHEMA_FORMATS] satisfies FormatName[]);
  // The library compares each item with each other one; canonical text tells them apart in one pass.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not have duplicate items' },
    validate: (unique: boolean, items: readonly unknown[]) =>
      !unique || new Set(items.map((item) => JSON.stringify(item))).size === items.length,
  });
  return ajv;
}

/** All that keeps a schema from being used, at once; empty when it can be saved. */
export function schemaViolations(schema: unknown): Violation[] {
  const violations = checkSchema(schema);
  // What is too large to look at is not looked at, and what is no object has no form.
  if (violations.some(({ pointer }) => pointer === '')) return violations;
  const ajv = createAjv({ allErrors: true });
  // Whatever dialect it names, its form is looked at as one of ours.
  if (ajv.validateSchema({ ...(schema as object), $schema: SCHEMA_DIALECT }) !== true) {
    const known = new Set(violations.map(({ pointer }) => pointer));
    for (const { instancePath: pointer, message = 'is against the form of a schema' } of ajv.errors ?? []) {
      if (known.has(pointer)) continue;
      known.add(pointer);
      violations.push({ pointer, code: 'invalid_schema', message });
    }
  }
  if (violations.length > 0) return violations;
  try {
    ajv.compile(schema as object);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ pointer: '', code: 'invalid_schema', message }];
  }
}

/** Makes a saved schema ready for judging events. Throws when it does not compile any more: then it must not silently pass everything. */
export function compileSchema(schemaText: string): DataCheck {
  const schema = JSON.parse(schemaText) as object;
  const compile = (allErrors: boolean): ValidateFunction =>
    createAjv({ allErrors, meta: false, validateSchema: false }).compile(schema);
  const passes = compile(false);
  // Compiled when the first event is wrong: most types never need it.
  let explains: ValidateFunction | undefined;
  return (dataText) => {
    const data = JSON.parse(dataText) as unknown;
    if (passes(data)) return [];
    if (dataText.length > EXPLAINED_LENGTH_MAX) return sentences(passes.errors);
    explains ??= compile(true);
    explains(data);
    return sentences(explains.errors);
  };
}

function sentences(errors: readonly ErrorObject[] | null | undefined): string[] {
  const all = errors ?? [];
  const shown = [...new Set(all.map(sentence))].slice(0, VIOLATIONS_SHOWN_MAX);
  // Whatever the library says or does not say of it, data that did not pass is wrong.
  return shown.length > 0 ? shown : ['data is not as its schema asks'];
}

function sentence({ instancePath, message = 'is wrong', keyword, params }: ErrorObject): string {
  const which =
    keyword === 'additionalProperties' ? ` (${JSON.stringify(params['additionalProperty'])})` : '';
  const text = `data${instancePath} ${message}${which}`;
  if (text.length <= VIOLATION_LENGTH_MAX) return text;
  // Cutting between the halves of a character would leave text that no store takes.
  return `${text.slice(0, VIOLATION_LENGTH_MAX).toWellFormed()}…`;
}
