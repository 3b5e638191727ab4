import {
  METER_DIMENSIONS_MAX,
  METER_NAME_BYTES_MAX,
  NAME_BYTES_MAX,
  PATH_BYTES_MAX,
  PATH_SEGMENTS_MAX,
} from '../limits.ts';
import { AGGREGATIONS, type Aggregation } from './accumulator.ts';
import { checkPrintable, type Violation } from '../violation.ts';
import { compileFilter } from './filter.ts';

import type { BackfilledDays } from './counted-as.ts';

export type { Violation } from '../violation.ts';

/** What a user says of a meter. `value` and the dimensions are dotted paths into `data`. */
export interface MeterDefinition {
  readonly name: string;
  readonly eventType: string;
  readonly aggregation: Aggregation;
  readonly value?: string | undefined;
  readonly dimensions?: Readonly<Record<string, string>> | undefined;
  readonly filter?: string | undefined;
}

/**
 * Whether what two neighbouring stretches of time measure adds up to what both measure together. A peak, an average or a number of distinct
 * values does not: it says something of a stretch as a whole.
 */
export const addsUp = ({ aggregation }: MeterDefinition): boolean =>
  aggregation === 'count' || aggregation === 'sum';

/**
 * `building` generations are written by the stream but not read yet; the `active` one answers queries; a `retired` one is kept for
 * seven days, still written, so that it can be switched back; an `ended` one is history.
 */
export type MeterState = 'building' | 'active' | 'retired' | 'ended';

/** One published definition. It never changes; another definition is the next version, with cells of its own generation. */
export interface MeterVersion {
  readonly key: string;
  readonly version: number;
  readonly generation: number;
  readonly definition: MeterDefinition;
  readonly state: MeterState;
  /** The catalogue version that made it: events committed at or after it are counted. */
  readonly since: number;
  /** The catalogue version from which on it is not written any more. */
  readonly until: number | null;
  /** The UTC days of which a backfill has counted the events that were committed below `since`: [firstDay, endDay). */
  readonly backfilled?: BackfilledDays;
}

export const METER_KEY = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
const DIMENSION_KEY = METER_KEY;
/** `groupBy=subject` means whose usage it is. */
const RESERVED_DIMENSION = 'subject';

const measures = (aggregation: Aggregation): boolean => aggregation !== 'count';

/** All that is wrong with a definition, at once; empty when it can be saved. */
export function checkMeter(definition: MeterDefinition): Violation[] {
  const { name, eventType, aggregation, value, dimensions = {}, filter } = definition;
  const violations: (Violation | undefined)[] = [
    ...checkPrintable('/name', name, METER_NAME_BYTES_MAX),
    ...checkPrintable('/eventType', eventType, NAME_BYTES_MAX),
    AGGREGATIONS.includes(aggregation)
      ? undefined
      : {
          pointer: '/aggregation',
          code: 'unknown_aggregation',
          message: `is one of ${AGGREGATIONS.join(', ')}`,
        },
    checkValue(aggregation, value),
    Object.keys(dimensions).length > METER_DIMENSIONS_MAX
      ? {
          pointer: '/dimensions',
          code: 'too_many_dimensions',
          message: `at most ${METER_DIMENSIONS_MAX} dimensions`,
        }
      : undefined,
    ...Object.entries(dimensions).flatMap(([key, path]) => checkDimension(key, path)),
    filter === undefined ? undefined : checkFilter(filter),
  ];
  return violations.filter((violation) => violation !== undefined);
}

function checkValue(aggregation: Aggregation, value: string | undefined): Violation | undefined {
  if (!measures(aggregation)) {
    return value === undefined
      ? undefined
      : { pointer: '/value', code: 'value_not_used', message: 'count takes no value: leave it out' };
  }
  if (value === undefined) {
    return {
      pointer: '/value',
      code: 'value_required',
      message: `${aggregation} needs the path of the value in data`,
    };
  }
  return checkPath('/value', value);
}

function checkDimension(key: string, path: string): (Violation | undefined)[] {
  const pointer = `/dimensions/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const name =
    DIMENSION_KEY.test(key) && key !== RESERVED_DIMENSION
      ? undefined
      : {
          pointer,
          code: 'invalid_key',
          message: `a dimension's name matches ${DIMENSION_KEY.source} and is not "${RESERVED_DIMENSION}"`,
        };
  return [name, checkPath(pointer, path)];
}

function checkPath(pointer: string, path: string): Violation | undefined {
  const segments = path.split('.');
  if (segments.includes(''))
    return { pointer, code: 'invalid_path', message: 'is a dotted path of names, such as usage.tokens' };
  if (segments.length > PATH_SEGMENTS_MAX)
    return { pointer, code: 'invalid_path', message: `has more than ${PATH_SEGMENTS_MAX} segments` };
  if (Buffer.byteLength(path, 'utf8') > PATH_BYTES_MAX)
    return { pointer, code: 'too_long', message: `has more than ${PATH_BYTES_MAX} bytes` };
  return undefined;
}

function checkFilter(filter: string): Violation | undefined {
  const compiled = compileFilter(filter);
  return 'fault' in compiled
    ? { pointer: '/filter', code: 'invalid_filter', message: `is not a CEL condition: ${compiled.fault}` }
    : undefined;
}

/** Whether two definitions count the same: then saving one over the other changes at most the name. */
export function countsAlike(a: MeterDefinition, b: MeterDefinition): boolean {
  return countingText(a) === countingText(b);
}

const countingText = ({ eventType, aggregation, value, dimensions = {}, filter }: MeterDefinition): string =>
  JSON.stringify([
    eventType,
    aggregation,
    value ?? null,
    Object.entries(dimensions).sort(([x], [y]) => (x < y ? -1 : 1)),
    filter ?? null,
  ]);
