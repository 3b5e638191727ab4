import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { assembleRoutes } from '#api/routes.ts';

export interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  /** Undefined for a call that needs no key. */
  readonly scope: string | undefined;
  readonly parameters: readonly Parameter[];
  /** Schemas by media type. */
  readonly body: Readonly<Record<string, JsonSchema>>;
  readonly answers: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: JsonSchema;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

interface OperationObject {
  readonly operationId: string;
  readonly 'x-scope'?: string;
  readonly parameters?: readonly (Omit<Parameter, 'required'> & { readonly required?: boolean })[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
}

/** The document as a reader of `/openapi.json` gets it: through text. */
export const openApi = JSON.parse(JSON.stringify(assembleRoutes('0.0.0').document)) as Document & JsonSchema;

const schemasOf = (content: Content['content'] = {}): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema]));

/** Every call that the document describes. */
export const operations: readonly Operation[] = Object.entries(openApi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    operationId: operation.operationId,
    method: method.toUpperCase(),
    path,
    scope: operation['x-scope'],
    parameters: (operation.parameters ?? []).map((each) => ({ ...each, required: each.required === true })),
    body: schemasOf(operation.requestBody?.content),
    answers: Object.fromEntries(
      Object.entries(operation.responses).map(([status, { content }]) => [status, schemasOf(content)]),
    ),
  })),
);

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
ajvFormats.default(ajv);
ajv.addSchema({ ...openApi, $id: 'openapi' });

const validators = new Map<JsonSchema, ValidateFunction>();

/** References stand in the document, so a schema out of it is checked as if it still stood there. */
function validatorOf(schema: JsonSchema): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const made = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')) as JsonSchema);
  validators.set(schema, made);
  return made;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What is wrong with an answer as the document describes the call; undefined when nothing is. */
export function faultOf(operation: Operation, { status, headers, body }: Answered): string | undefined {
  const documented = operation.answers[String(status)];
  if (documented === undefined) return `status ${status} is not documented`;
  const mediaType = (headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (Object.keys(documented).length === 0) return mediaType === '' ? undefined : `unexpected ${mediaType}`;
  const schema = documented[mediaType];
  if (schema === undefined) return `media type ${mediaType} is not documented for ${status}`;
  if (!/[/+]json$/.test(mediaType)) return undefined;
  const validate = validatorOf(schema);
  return validate(body) ? undefined : ajv.errorsText(validate.errors);
}
