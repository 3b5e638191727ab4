import type { Instant } from '../instant.ts';
import type { UsageEvent } from '../metering/event.ts';
import { compileFilter, type Filter } from '../metering/filter.ts';
import { compilePath, valueAt } from '../metering/json-path.ts';
import type { CorrectionFilter } from './correction.ts';

/** An attribute of each event that an import brought, which names the import. */
export const IMPORT_ATTRIBUTE = 'import';
const IMPORT_PATH = compilePath(IMPORT_ATTRIBUTE);

/** Whether an event is meant by a filter, apart from who owns its subject. */
export type Selection = (event: UsageEvent, committedAt: Instant) => boolean;

/** Throws for an expression that `checkCorrection` refuses. */
export function compileSelection(filter: CorrectionFilter): Selection {
  const { from, to, type, source, subjects, where, import: brought } = filter;
  const { committedFrom = -Infinity, committedTo = Infinity } = filter;
  const named = subjects === undefined ? undefined : new Set(subjects);
  const passes = where === undefined ? undefined : compiled(where);
  const bringer = brought === undefined ? undefined : JSON.stringify(brought);
  return (event, committedAt) =>
    event.time >= from &&
    event.time < to &&
    committedAt >= committedFrom &&
    committedAt < committedTo &&
    (type === undefined || event.type === type) &&
    (source === undefined || event.source === source) &&
    (named === undefined || named.has(event.subject)) &&
    (bringer === undefined || valueAt(event.attributes ?? '{}', IMPORT_PATH) === bringer) &&
    (passes === undefined || passes(event) === true);
}

function compiled(where: string): Filter {
  const result = compileFilter(where);
  if ('fault' in result) throw new Error(`a filter that was checked does not compile: ${result.fault}`);
  return result.filter;
}
