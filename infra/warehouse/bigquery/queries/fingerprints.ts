import { FINGERPRINT_ROWS_MAX } from '../../questions/usage-question.ts';
import { WINDOWS } from '../../questions/windows.ts';
import { exactEventsSql } from '../exact-events-sql.ts';
import { limbSums, LIMBS } from '../limbs.ts';
import { eventFilter } from './event-filter.ts';
import type { NamedQuery } from './named-query.ts';
import { count, hashOfLimbs, text, time } from './present.ts';
import { boundText } from './sql-parameters.ts';
import { micros, windowStart } from './windows.ts';

/**
 * The fingerprint of the exact events of each subject and meter, by UTC `window`: what the cells keep, computed again from the events.
 * The 32-bit limbs of the digests are summed apart and carried together afterwards: no sum of them can overflow, and none is rounded.
 */
export const fingerprints: NamedQuery = (parameters, events) => {
  const asked = parameters.optionalText('meter');
  const { placed, chosen, values } = eventFilter(parameters);
  const start = windowStart(parameters.oneOf('window', WINDOWS, 'none'));
  const source = asked === undefined ? 'exact, UNNEST(matched_meters) AS meter' : 'exact';
  return {
    sql: `WITH ${exactEventsSql({ events, placed, chosen, columns: ['digest', 'matched_meters'] })},
counted AS (SELECT subject, ${asked === undefined ? 'meter' : '@asked AS meter'}, ${start} AS window_start, digest FROM ${source})
SELECT subject, meter, ${micros('window_start')} AS window_micros, COUNT(*) AS events, ${limbSums('digest')}
FROM counted GROUP BY subject, meter, window_start ORDER BY subject, meter, window_start`,
    parameters: { ...values, ...(asked === undefined ? {} : { asked: boundText(asked) }) },
    rowsMax: FINGERPRINT_ROWS_MAX,
    present: (row) => ({
      subject: text(row['subject']),
      meter: text(row['meter']),
      window_start: time(row['window_micros']),
      events: count(row['events']),
      fingerprint: hashOfLimbs(LIMBS.map((limb) => row[limb])),
    }),
  };
};
