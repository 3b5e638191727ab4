import { UnknownTimeZoneError } from '#domain/calendar/time-zone.ts';
import { TooManyDistinctValuesError } from '#domain/usage/measure-distinct.ts';
import { UsageQueryError, type UsageQueryFault } from '#domain/usage/usage-query.ts';
import { UnknownMeter } from '#infra/usage/read-usage.ts';
import { Problem } from '../http/problem.ts';
import { clientGone } from './in-turns.ts';

/** The parameter that each fault of a question is mended by. */
const POINTERS: Readonly<Record<UsageQueryFault, string>> = {
  range_invalid: 'query:to',
  range_empty: 'query:to',
  unknown_dimension: 'query:groupBy',
  position_outside_range: 'query:cursor',
  subjects_invalid: 'query:subject',
};

export const refuseQuery = (pointer: string, code: string, message: string): Problem =>
  new Problem('invalid_query', message, { violations: [{ pointer, code, message }] });

/** Does what reads usage, and says what is wrong with the question in the words of the request. */
export async function askingForUsage<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    throw usageProblem(error) ?? error;
  }
}

function usageProblem(error: unknown): Problem | undefined {
  if (error instanceof DOMException && error.name === 'AbortError') return clientGone();
  if (error instanceof UnknownMeter) return new Problem('meter_not_found', error.message);
  if (error instanceof UnknownTimeZoneError) return refuseQuery('query:timezone', error.code, error.message);
  if (error instanceof TooManyDistinctValuesError) return refuseQuery('query:to', error.code, error.message);
  if (!(error instanceof UsageQueryError)) return undefined;
  if (error.code === 'position_outside_range') return new Problem('invalid_cursor', error.message);
  return refuseQuery(POINTERS[error.code], error.code, error.message);
}
