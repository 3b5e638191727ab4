import { hash } from 'node:crypto';
import { DIMENSION_VALUE_BYTES_MAX } from '../limits.ts';
import type { Catalogue, CompiledMeter } from './catalogue.ts';
import type { Refusal } from './dead-letter.ts';
import type { EventContent } from './event.ts';
import { HASH128_BYTES, type Hash128 } from './hash128.ts';
import { plainNumber } from './canonical-json.ts';
import { valueAt } from './json-path.ts';
import { parsePlainDecimal, type Quantity } from './quantity.ts';

/** What one event does to one meter. Together with its subject and time this names every cell the event touches. */
export interface Effect {
  readonly meter: CompiledMeter;
  /** What it adds to the meter's value; 0 for count and unique. */
  readonly value: Quantity;
  /** `unique`: the hash of the value it names; else ''. */
  readonly distinct: Hash128;
  /** The canonical JSON array of the dimension values, in the order of the sorted names; '' for a meter without dimensions. */
  readonly group: string;
}

export interface Matched {
  readonly effects: readonly Effect[];
  /** Filters that could not be evaluated: no match, but counted. */
  readonly filterErrors: number;
  readonly refusal?: never;
}

export type MatchResult = Matched | { readonly refusal: Refusal };

const UNMATCHED: Matched = { effects: [], filterErrors: 0 };

/**
 * All effects of an event, or why it is refused. The filter runs first; a meter whose filter passes and whose value is missing or no
 * number refuses the whole event, since an event counts everywhere or nowhere.
 */
export function matchEvent(catalogue: Catalogue, event: EventContent): MatchResult {
  const meters = catalogue.byType.get(event.type);
  if (meters === undefined) return UNMATCHED;
  // Sized at once: most meters of a type match, and a list that grows is made several times over.
  const effects = new Array<Effect>(meters.length);
  let matched = 0;
  let filterErrors = 0;
  for (const meter of meters) {
    const passes = meter.filter === undefined || meter.filter(event);
    if (passes === 'error') filterErrors++;
    if (passes !== true) continue;
    const effect = effectOn(meter, event.data);
    if ('reason' in effect) return { refusal: effect };
    effects[matched++] = effect;
  }
  effects.length = matched;
  return { effects, filterErrors };
}

function effectOn(meter: CompiledMeter, data: string): Effect | Refusal {
  if (meter.constantEffect) return meter.constantEffect;
  const group = meter.dimensions.length === 0 ? '' : groupOf(meter, data);
  if (typeof group !== 'string') return group;
  if (meter.value === undefined) return { meter, value: 0, distinct: '', group };
  const source = valueAt(data, meter.value);
  if (source === undefined || source === 'null') return refuse('value_missing', meter, 'is missing');
  if (meter.aggregation === 'unique') return distinctEffect(meter, source, group);
  const value = parsePlainDecimal(source.charCodeAt(0) === 34 ? plainText(source) : source);
  if (value === 'value_not_a_number') return refuse(value, meter, 'is no number');
  if (value === 'value_out_of_range')
    return refuse(value, meter, 'has more than 20 digits before or 18 after the point');
  return { meter, value, distinct: '', group };
}

const refuse = (reason: Refusal['reason'], meter: CompiledMeter, fault: string): Refusal => ({
  reason,
  detail: `data.${meter.value?.text ?? ''}, the value of meter ${meter.key}, ${fault}`,
});

function distinctEffect(meter: CompiledMeter, source: string, group: string): Effect | Refusal {
  const text = scalarText(source);
  if (text === undefined)
    return refuse('value_not_a_number', meter, 'is an object or a list: unique needs a plain value');
  return { meter, value: 0, distinct: hash('sha256', text, 'binary').slice(0, HASH128_BYTES), group };
}

/** A string's content, a number or boolean as written; undefined for containers. The string "1" and the number 1 are the same value. */
export function scalarText(source: string): string | undefined {
  const first = source.charCodeAt(0);
  if (first === 34) return JSON.parse(source) as string;
  return first === 123 || first === 91 ? undefined : source;
}

const DECIMAL_WITH_EXPONENT = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A decimal string's content in plain form, as a JSON number would be; anything else comes back as it is and is refused as no number. */
function plainText(quoted: string): string {
  const text = JSON.parse(quoted) as string;
  return DECIMAL_WITH_EXPONENT.test(text) ? (plainNumber(text) ?? OVER_LONG) : text;
}

/** Stands for a number with too many digits, so that it is refused for its range. */
const OVER_LONG = '9'.repeat(21);

/** A group is part of a row's key, and keys are bounded (8 KiB on Spanner); only values full of escaped characters come near it. */
export const GROUP_BYTES_MAX = 6 * 1_024;

/** The group of an event: `["m1",""]` where the second dimension is missing. */
function groupOf(meter: CompiledMeter, data: string): string | Refusal {
  const values: string[] = [];
  let escaped = false;
  for (const path of meter.dimensions) {
    const source = valueAt(data, path);
    // A string is canonical JSON already; numbers, booleans and containers are named by their text.
    const value =
      source === undefined || source === 'null'
        ? '""'
        : source.charCodeAt(0) === 34
          ? source
          : JSON.stringify(source);
    if (Buffer.byteLength(value, 'utf8') - 2 > DIMENSION_VALUE_BYTES_MAX) {
      // Escapes take bytes here that the value itself does not have.
      if (Buffer.byteLength(JSON.parse(value) as string, 'utf8') > DIMENSION_VALUE_BYTES_MAX)
        return overLong(meter, path.text);
      escaped = true;
    }
    values.push(value);
  }
  const group = `[${values.join(',')}]`;
  return escaped && Buffer.byteLength(group, 'utf8') > GROUP_BYTES_MAX ? overLong(meter) : group;
}

const overLong = (meter: CompiledMeter, path?: string): Refusal => ({
  reason: 'too_large',
  detail:
    path === undefined
      ? `the dimensions of meter ${meter.key} have more than ${GROUP_BYTES_MAX} bytes together, escapes included`
      : `data.${path}, a dimension of meter ${meter.key}, has more than ${DIMENSION_VALUE_BYTES_MAX} bytes`,
});
