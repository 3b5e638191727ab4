import { floorToMinute, type Instant } from '../instant.ts';
import { advance } from './advance.ts';
import type { Duration } from './duration.ts';
import type { TimeZone } from './time-zone.ts';
import type { TimeWindow } from './window.ts';

/**
 * The window of a length that ends at an instant, both ends moved down to their minute. Months and days go back by the zone's calendar,
 * so that a month before 31 March is the last day of February, and a day before may be 23 hours.
 */
export const rollingWindowAt = (zone: TimeZone, length: Duration, at: Instant): TimeWindow => ({
  from: floorToMinute(advance(zone, at, length, -1)),
  to: floorToMinute(at),
});
