import type { Window } from '../../questions/windows.ts';

const PARTS: Readonly<Record<Exclude<Window, 'none'>, string>> = {
  minute: 'MINUTE',
  hour: 'HOUR',
  day: 'DAY',
};

/** The start of the UTC window that an event lies in, as SQL; the start of the range where there are no windows. */
export const windowStart = (window: Window, time = 'time'): string =>
  window === 'none' ? '@from' : `TIMESTAMP_TRUNC(${time}, ${PARTS[window]})`;

/** A time in whole microseconds: the one form that comes back from everywhere the same. */
export const micros = (time: string): string => `UNIX_MICROS(${time})`;
