import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE } from '#domain/instant.ts';
import type { Window } from '../../questions/windows.ts';

const WINDOW_MICROS: Readonly<Record<Exclude<Window, 'none'>, number>> = {
  minute: MICROS_PER_MINUTE,
  hour: MICROS_PER_HOUR,
  day: MICROS_PER_DAY,
};

/** The start of the window that an event lies in, as SQL; the start of the range where there are no windows. */
export function windowStart(window: Window, time = 'time'): string {
  if (window === 'none') return '$from';
  const micros = WINDOW_MICROS[window];
  // Rounded down also before 1970, where a plain remainder is negative.
  return `${time} - ((${time} % ${micros}) + ${micros}) % ${micros}`;
}
