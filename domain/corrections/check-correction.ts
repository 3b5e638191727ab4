import {
  CORRECTION_FACTORS_MAX,
  CORRECTION_SUBJECTS_MAX,
  DATA_BYTES_MAX,
  PATH_BYTES_MAX,
  PATH_SEGMENTS_MAX,
} from '../limits.ts';
import { compileFilter } from '../metering/filter.ts';
import { parsePlainDecimal } from '../metering/quantity.ts';
import type { Violation } from '../violation.ts';
import type { CorrectionChange, CorrectionFilter, CorrectionRequest, Factor } from './correction.ts';

/** All that is wrong with a request, at once; empty when it can be done. */
export function checkCorrection({ action, filter, change }: CorrectionRequest): Violation[] {
  return [...checkFilter(filter), ...checkAction(action === 'amend', change)];
}

function checkFilter(filter: CorrectionFilter): Violation[] {
  const { from, to, committedFrom, committedTo, subjects, customer, where } = filter;
  const violations: Violation[] = [];
  const add = (pointer: string, code: string, message: string): void =>
    void violations.push({ pointer: `/filter/${pointer}`, code, message });
  if (to <= from) add('to', 'range_empty', 'must be after from');
  if (committedFrom !== undefined && committedTo !== undefined && committedTo <= committedFrom)
    add('committedTo', 'range_empty', 'must be after committedFrom');
  if (subjects !== undefined && (subjects.length === 0 || subjects.length > CORRECTION_SUBJECTS_MAX))
    add('subjects', 'out_of_range', `must be 1 to ${CORRECTION_SUBJECTS_MAX} subjects`);
  if (subjects !== undefined && customer !== undefined)
    add('customer', 'not_together', 'does not go together with subjects');
  const compiled = where === undefined ? undefined : compileFilter(where);
  if (compiled !== undefined && 'fault' in compiled) add('where', 'filter_invalid', compiled.fault);
  return violations;
}

function checkAction(amends: boolean, change: CorrectionChange | undefined): Violation[] {
  if (!amends)
    return change === undefined
      ? []
      : [{ pointer: '/change', code: 'not_together', message: 'goes with the action amend only' }];
  if (change === undefined || Object.values(change).every((value) => value === undefined))
    return [{ pointer: '/change', code: 'required', message: 'must say what is to be changed' }];
  const { data, multiply = [] } = change;
  const violations: Violation[] = [];
  if (data !== undefined && Buffer.byteLength(data) > DATA_BYTES_MAX)
    violations.push({
      pointer: '/change/data',
      code: 'too_large',
      message: `has more than ${DATA_BYTES_MAX} bytes`,
    });
  if (multiply.length > CORRECTION_FACTORS_MAX)
    violations.push({
      pointer: '/change/multiply',
      code: 'out_of_range',
      message: `must be at most ${CORRECTION_FACTORS_MAX} numbers`,
    });
  return [...violations, ...multiply.flatMap(checkFactor)];
}

function checkFactor({ path, by }: Factor, place: number): Violation[] {
  const pointer = `/change/multiply/${place}`;
  const violations: Violation[] = [];
  const segments = path.split('.');
  if (
    segments.some((segment) => segment === '') ||
    segments.length > PATH_SEGMENTS_MAX ||
    Buffer.byteLength(path) > PATH_BYTES_MAX
  )
    violations.push({
      pointer: `${pointer}/path`,
      code: 'path_invalid',
      message: `must be a dotted path of at most ${PATH_SEGMENTS_MAX} parts and ${PATH_BYTES_MAX} bytes`,
    });
  if (typeof parsePlainDecimal(by) === 'string')
    violations.push({
      pointer: `${pointer}/by`,
      code: 'not_a_decimal',
      message: 'must be a decimal with at most 20 integer digits and 18 decimals',
    });
  return violations;
}
