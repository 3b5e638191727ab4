/** A date of the proleptic Gregorian calendar, without a zone. Months are 1 to 12. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export const MONTHS_PER_YEAR = 12;
const FEBRUARY = 2;
const DAYS_PER_ERA = 146_097;
const YEARS_PER_ERA = 400;
/** Days from 0000-03-01, where the arithmetic below begins its years, to 1970-01-01. */
const EPOCH_SHIFT_DAYS = 719_468;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

export const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

export const daysInMonth = (year: number, month: number): number =>
  month === FEBRUARY && isLeapYear(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);

const WRITTEN = /^(\d{4})-(\d{2})-(\d{2})$/;

/** A date as it is written, `2026-02-28`. Undefined for what no calendar has, such as `2026-02-29`, and for text that is no date. */
export function parseCivilDate(text: string): CivilDate | undefined {
  const written = WRITTEN.exec(text);
  if (!written) return undefined;
  const [year = 0, month = 0, day = 0] = written.slice(1).map(Number);
  return day >= 1 && day <= daysInMonth(year, month) ? { year, month, day } : undefined;
}

/**
 * Days since 1970-01-01. Years are counted from March, so that the leap day is a year's last day and needs no case of its own;
 * months from March are 31, 30, 31, 30, 31 days over and over, which is what (153 m + 2) / 5 counts.
 */
export function daysOfCivil(year: number, month: number, day: number): number {
  const marchYear = month <= FEBRUARY ? year - 1 : year;
  const era = Math.floor(marchYear / YEARS_PER_ERA);
  const yearOfEra = marchYear - era * YEARS_PER_ERA;
  const marchMonth = month <= FEBRUARY ? month + 9 : month - 3;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_SHIFT_DAYS;
}

/** The inverse of `daysOfCivil`. */
export function civilOfDays(days: number): CivilDate {
  const shifted = days + EPOCH_SHIFT_DAYS;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const leapDays =
    Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  return { year: era * YEARS_PER_ERA + yearOfEra + (month <= FEBRUARY ? 1 : 0), month, day };
}
