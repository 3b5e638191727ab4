/**
 * A length of time, in the order in which it is counted: calendar months, then calendar days, then seconds of elapsed time. A year is
 * twelve months, a week seven days, an hour 3,600 seconds.
 */
export interface Duration {
  readonly months: number;
  readonly days: number;
  readonly seconds: number;
  /** Whether it was given in weeks alone: a calendar week begins on Monday. */
  readonly weeks: boolean;
}

const DATES = String.raw`(?:(?<years>\d{1,6})Y)?(?:(?<months>\d{1,6})M)?(?:(?<weeks>\d{1,6})W)?(?:(?<days>\d{1,6})D)?`;
const TIMES = String.raw`(?:T(?=\d)(?:(?<hours>\d{1,6})H)?(?:(?<minutes>\d{1,6})M)?(?:(?<seconds>\d{1,6})S)?)?`;
const ISO_8601 = new RegExp(String.raw`^P(?=\d|T)${DATES}${TIMES}$`);

/** 999 years, in each unit. */
const MONTHS_MAX = 11_988;
const DAYS_MAX = 364_635;

/**
 * Reads an ISO 8601 duration of whole numbers, such as `P1M`, `P2W`, `PT15M`, `P1Y6M`: more than nothing, and at most 999 years.
 * Undefined when it is none.
 */
export function parseDuration(text: string): Duration | undefined {
  const given = ISO_8601.exec(text)?.groups;
  if (!given) return undefined;
  const count = (unit: string): number => Number(given[unit] ?? 0);
  const months = count('years') * 12 + count('months');
  const days = count('weeks') * 7 + count('days');
  const seconds = (count('hours') * 60 + count('minutes')) * 60 + count('seconds');
  if (months + days + seconds === 0 || months > MONTHS_MAX || days > DAYS_MAX) return undefined;
  return { months, days, seconds, weeks: count('weeks') > 0 && count('days') + months + seconds === 0 };
}

/** Whether a length is of one kind alone: months, days, or elapsed time. */
export const isOfOneKind = ({ months, days, seconds }: Duration): boolean =>
  [months, days, seconds].filter((count) => count > 0).length === 1;
