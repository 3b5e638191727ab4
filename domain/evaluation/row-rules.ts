import { timeZone } from '../calendar/time-zone.ts';
import { windowAt, type TimeWindow } from '../calendar/window.ts';
import { MICROS_PER_MINUTE, floorToMinute } from '../instant.ts';
import { Decimal, toDecimalText } from '../money/decimal.ts';
import { round, type Rounding as Mode } from '../money/rounding.ts';
import type { UsageRow } from '../usage/usage-rows.ts';
import type { EvaluationQuery, Rounding } from './evaluation.ts';

/** The range to answer: whole minutes and, where that is asked, widened to whole windows. The query's zone and range must be valid. */
export function alignedRange(query: EvaluationQuery): TimeWindow {
  const from = floorToMinute(query.from);
  const to = floorToMinute(query.to);
  if (query.align !== 'widen' || query.window === 'none') return { from, to };
  const zone = timeZone(query.timezone);
  return {
    from: windowAt(zone, query.window, from).from,
    to: windowAt(zone, query.window, to - MICROS_PER_MINUTE).to,
  };
}

/** A row as the rules of the query have it: nothing becomes 0, then what is below 0, then the value is rounded. */
export function applyRowRules(query: EvaluationQuery, row: UsageRow): UsageRow {
  let { value } = row;
  if (value === null && query.emptyIsZero) value = '0';
  if (value === null) return row;
  if (query.floorAtZero && value.startsWith('-')) value = '0';
  if (query.rounding) value = rounded(value, query.rounding);
  return { ...row, value };
}

const MODES: Readonly<Record<Rounding['function'], Mode>> = {
  round: 'halfUp',
  ceil: 'ceiling',
  floor: 'floor',
};

/** Worked: 123.456 rounded at scale 2 is 123.46; its floor at scale -2 is 100. */
const rounded = (value: string, { function: name, scale }: Rounding): string =>
  toDecimalText(round(new Decimal(value), scale, MODES[name]));
