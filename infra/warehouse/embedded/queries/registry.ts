import { QueryRefused } from '../../errors.ts';
import type { QueryParameters } from '../../warehouse.ts';
import { eventsExact, eventsJson, eventsQuery, meteredEvents, outcomes } from './event-rows.ts';
import { fingerprints } from './fingerprints.ts';
import type { NamedQuery, Plan } from './named-query.ts';
import { readParameters } from '../../questions/parameters.ts';
import { usageByWindow } from './usage.ts';

/** Every question that can be asked; all of them take a filter of events (`event-filter.ts`). */
const QUERIES: ReadonlyMap<string, NamedQuery> = new Map([
  ['events', eventsQuery],
  ['events_exact', eventsExact],
  ['events_json', eventsJson],
  ['metered_events', meteredEvents],
  ['outcomes', outcomes],
  ['usage_by_window', usageByWindow],
  ['fingerprints', fingerprints],
]);

export function planQuery(name: string, given: QueryParameters): Plan {
  const query = QUERIES.get(name);
  if (query === undefined)
    throw new QueryRefused(`no query ${name}: there are ${[...QUERIES.keys()].join(', ')}`);
  const parameters = readParameters(name, given);
  const plan = query(parameters);
  parameters.finish();
  return plan;
}
