import { HOURS_PER_DAY, MICROS_PER_DAY, dayOf, hourOf } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import type { TimeToLive } from '#infra/database/table.ts';

/** A row is expired when its column lies below this; in the column's own unit. */
export function expiryCutoff(timeToLive: TimeToLive, now: Instant): number {
  switch (timeToLive.unit) {
    case 'micros':
      return now - timeToLive.days * MICROS_PER_DAY;
    case 'hours':
      return hourOf(now) - timeToLive.days * HOURS_PER_DAY;
    case 'days':
      return dayOf(now) - timeToLive.days;
  }
}
