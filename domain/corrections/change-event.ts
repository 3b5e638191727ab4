import type { UsageEvent } from '../metering/event.ts';
import { fromDecimalString, multiply, parsePlainDecimal, toDecimalString } from '../metering/quantity.ts';
import type { CorrectionChange, Factor } from './correction.ts';

/** What an amended event says. `data` is JSON text, not yet canonical. */
export type ChangedEvent = Pick<UsageEvent, 'type' | 'subject' | 'data'>;

/** The event stays as it is, and why. */
export interface ChangeRefusal {
  readonly code: 'not_a_number' | 'out_of_range';
  readonly detail: string;
}

/** The event with a change applied: first the patch of its data, then the factors. No digit of any number is lost. */
export function changeEvent(
  event: ChangedEvent,
  { type = event.type, subject = event.subject, data: patch, multiply: factors = [] }: CorrectionChange,
): ChangedEvent | { readonly refusal: ChangeRefusal } {
  if (patch === undefined && factors.length === 0) return { type, subject, data: event.data };
  const root: { data: Tree } = { data: parseExact(event.data) };
  if (patch !== undefined) root.data = mergePatch(root.data, parseExact(patch));
  for (const factor of factors) {
    const refusal = multiplyAt(root, factor);
    if (refusal !== undefined) return { refusal };
  }
  return { type, subject, data: JSON.stringify(root.data) };
}

/** A JSON document whose numbers are kept as their text. */
type Tree = string | boolean | null | RawNumber | Tree[] | { [name: string]: Tree };
interface RawNumber {
  readonly rawJSON: string;
}

/** Part of the language since 2025, and not yet of the compiler's own description of it. */
const rawJson = JSON as JSON & {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

const parseExact = (text: string): Tree =>
  JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? rawJson.rawJSON(context?.source ?? String(value)) : value,
  ) as Tree;

const isObject = (tree: Tree | undefined): tree is { [name: string]: Tree } =>
  typeof tree === 'object' && tree !== null && !Array.isArray(tree) && !rawJson.isRawJSON(tree);

/** As RFC 7396 says: null takes a member away, objects are merged, all else replaces. */
function mergePatch(target: Tree | undefined, patch: Tree): Tree {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/** Multiplies the number at a path where it stands; a decimal string stays a string. */
function multiplyAt(root: { data: Tree }, { path, by }: Factor): ChangeRefusal | undefined {
  const names = ['data', ...path.split('.')];
  const last = names.pop() ?? '';
  let at: Tree | undefined = root;
  for (const name of names) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  const found = isObject(at) && Object.hasOwn(at, last) ? at[last] : undefined;
  const text = typeof found === 'string' ? found : rawJson.isRawJSON(found) ? found.rawJSON : '';
  const value = parsePlainDecimal(text);
  if (!isObject(at) || value === 'value_not_a_number')
    return { code: 'not_a_number', detail: `data.${path} is no number` };
  if (value === 'value_out_of_range') return outOfRange(path);
  const product = multiply(value, fromDecimalString(by));
  const written = product === undefined ? '' : toDecimalString(product);
  if (typeof parsePlainDecimal(written) === 'string') return outOfRange(path);
  at[last] = typeof found === 'string' ? written : rawJson.rawJSON(written);
  return undefined;
}

const outOfRange = (path: string): ChangeRefusal => ({
  code: 'out_of_range',
  detail: `data.${path} would have more than 20 digits before or 18 after the point`,
});
