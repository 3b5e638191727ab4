import { FINGERPRINT_ROWS_MAX } from '../../questions/usage-question.ts';
import { WINDOWS } from '../../questions/windows.ts';
import { EVENTS } from '../../tables.ts';
import { eventFilter, exactEvents } from './event-filter.ts';
import type { NamedQuery } from './named-query.ts';
import { boundText } from './bindings.ts';
import { count, hash, text, time } from './present.ts';
import { windowStart } from './windows.ts';

/**
 * The fingerprint of the exact events of each subject and meter, by UTC `window`: what the cells keep, computed again from the events.
 * Halves of digests are summed as 128-bit integers and carried together afterwards: a sum of 64-bit halves cannot overflow one.
 */
export const fingerprints: NamedQuery = (parameters) => {
  const asked = parameters.optionalText('meter');
  const filter = eventFilter(parameters);
  const start = windowStart(parameters.oneOf('window', WINDOWS, 'none'));
  const meter = asked === undefined ? `unnest(from_json(matched_meters, '["VARCHAR"]'))` : '$asked';
  return {
    table: EVENTS.name,
    days: filter.days,
    sql: `${exactEvents(filter, 'digest_high, digest_low, matched_meters')},
counted AS (SELECT subject, ${meter} AS meter, ${start} AS window_start, digest_high, digest_low FROM exact)
SELECT subject, meter, window_start, count(*) AS events, sum(digest_high) AS high, sum(digest_low) AS low
FROM counted GROUP BY subject, meter, window_start ORDER BY subject, meter, window_start`,
    bindings: { ...filter.bindings, ...(asked === undefined ? {} : { asked: boundText(asked) }) },
    rowsMax: FINGERPRINT_ROWS_MAX,
    present: (row) => ({
      subject: text(row['subject']),
      meter: text(row['meter']),
      window_start: time(row['window_start']),
      events: count(row['events']),
      fingerprint: hash(row['high'], row['low']),
    }),
  };
};
