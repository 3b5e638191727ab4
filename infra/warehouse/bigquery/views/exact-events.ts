import { EVENTS } from '../../tables.ts';
import type { BigQueryPlace } from '../connection.ts';
import { exactEventsSql, OWN_COLUMNS } from '../exact-events-sql.ts';
import { qualified } from '../qualified.ts';
import { type ViewDefinition } from './view.ts';

const own: ReadonlySet<string> = new Set(OWN_COLUMNS);

/** Of an exact event the outcome is known. */
const COLUMNS = EVENTS.columns.map(({ name }) => name).filter((name) => !own.has(name) && name !== 'outcome');

export const EXACT_COLUMNS = [...OWN_COLUMNS, ...COLUMNS];

/** Each counted event once. Filtered by `day`, `namespace` and `subject`, it reads only the partitions and blocks of those. */
export const eventsExactView = (place: BigQueryPlace): ViewDefinition => ({
  name: 'events_exact',
  description:
    'Each counted event once: accepted, without duplicates, conflicts and what was voided. Filter by day (required), namespace and subject: they decide what is read.',
  // No condition of its own: a filter by what the windows are partitioned by passes through them, down to the table.
  sql: `WITH ${exactEventsSql({ events: qualified(place, EVENTS.name), placed: 'TRUE', columns: COLUMNS })}
SELECT ${EXACT_COLUMNS.join(', ')} FROM exact`,
});

/** The exact events with `data` as a JSON value, for browsing: its numbers are doubles, so nothing is to be summed from it. */
export const eventsJsonView = (place: BigQueryPlace): ViewDefinition => ({
  name: 'events_json',
  description:
    'The exact events with data as JSON, for browsing. Its numbers may be rounded: quantities are read from events_exact.',
  sql: `SELECT * REPLACE (PARSE_JSON(data, wide_number_mode => 'round') AS data) FROM ${qualified(place, 'events_exact')}`,
});
