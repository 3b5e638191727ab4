/** The units a period is counted in: minutes are elapsed time, days and months go by a zone's calendar. */
export type DurationUnit = 'minute' | 'day' | 'month';

/** A length of one unit; weeks are seven days, hours sixty minutes, years twelve months. */
export interface Duration {
  readonly unit: DurationUnit;
  readonly count: number;
  /** Whether it was given in weeks: a calendar week begins on Monday. */
  readonly weeks: boolean;
}

const ONE_UNIT = /^P(?:(\d{1,3})([DWMY])|T(\d{1,6})([HM]))$/;

/** Minutes, days or months of each designator. */
const TIMES: Readonly<Record<string, Omit<Duration, 'weeks'>>> = {
  M: { unit: 'minute', count: 1 },
  H: { unit: 'minute', count: 60 },
};
const DATES: Readonly<Record<string, Omit<Duration, 'weeks'>>> = {
  D: { unit: 'day', count: 1 },
  W: { unit: 'day', count: 7 },
  M: { unit: 'month', count: 1 },
  Y: { unit: 'month', count: 12 },
};

/** Reads an ISO 8601 duration of one unit, at least 1 of it: `P1M`, `P2W`, `PT5H`. Undefined when it is none. */
export function parseDuration(text: string): Duration | undefined {
  const [, dates, date = '', times, time = ''] = ONE_UNIT.exec(text) ?? [];
  const count = Number(dates ?? times ?? 0);
  const one = DATES[date] ?? TIMES[time];
  if (one === undefined || count === 0) return undefined;
  return { unit: one.unit, count: count * one.count, weeks: date === 'W' };
}
