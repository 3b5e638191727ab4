import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { digestOfSaid, type Said } from '#domain/metering/identity.ts';

/** A way to write an instant; undefined where it would lose digits. */
type TimeForm = (at: Instant) => string | null | undefined;

const SECONDS_LENGTH = 'YYYY-MM-DDThh:mm:ss'.length;
const MICRO_DIGITS = 6;

const withDigits =
  (digits: number, zone: string): TimeForm =>
  (at) => {
    const fraction = String(at % MICROS_PER_SECOND).padStart(MICRO_DIGITS, '0');
    if (Number(fraction.slice(digits)) !== 0) return undefined;
    const text = formatInstant(at).slice(0, SECONDS_LENGTH);
    return `${text}${digits === 0 ? '' : `.${fraction.slice(0, digits)}`}${zone}`;
  };

/** How producers write times: what JavaScript, Java, Go and Python print, and not at all. */
const FORMS: readonly TimeForm[] = [
  formatInstant,
  withDigits(3, 'Z'),
  withDigits(6, 'Z'),
  withDigits(3, '+00:00'),
  withDigits(6, '+00:00'),
  withDigits(0, '+00:00'),
  () => null,
];

/** What is stored of an event, without how its time was written. */
export interface StoredSaid extends Omit<Said, 'sentTime'> {
  readonly identity: Hash128;
  readonly digest: Hash128;
  readonly time: Instant;
}

/**
 * Finds out how the time of each event was written, which is nowhere stored but in its digest: so the same event sent once more by its
 * producer is a duplicate after a transfer, too. Null: it was sent without a time. A form that is none of the usual is written in ours,
 * which says the same instant.
 */
export function createSentTimes(): (said: StoredSaid) => string | null {
  // One producer writes all its times alike.
  let usual = FORMS[0] ?? formatInstant;
  return (said) => {
    const fits = (form: TimeForm): boolean => {
      const sentTime = form(said.time);
      return (
        sentTime !== undefined && digestOfSaid(said.identity, { ...said, sentTime }, false) === said.digest
      );
    };
    if (!fits(usual)) {
      const found = FORMS.find(fits);
      if (found === undefined) return formatInstant(said.time);
      usual = found;
    }
    return usual(said.time) ?? null;
  };
}
