import { BigQuery, type Query } from '@google-cloud/bigquery';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';

/** A value that a query names: always bound, never written into the SQL. */
export type SqlParameter =
  | { readonly type: 'STRING'; readonly text: string }
  | { readonly type: 'STRINGS'; readonly texts: readonly string[] }
  | { readonly type: 'TIMESTAMP'; readonly at: Instant };

export type SqlParameters = Readonly<Record<string, SqlParameter>>;

export const boundText = (text: string): SqlParameter => ({ type: 'STRING', text });
export const boundTexts = (texts: readonly string[]): SqlParameter => ({ type: 'STRINGS', texts });
export const boundTime = (at: Instant): SqlParameter => ({ type: 'TIMESTAMP', at });

function valueOf(parameter: SqlParameter): { value: unknown; type: string | string[] } {
  switch (parameter.type) {
    case 'STRING':
      return { value: parameter.text, type: 'STRING' };
    case 'STRINGS':
      return { value: [...parameter.texts], type: ['STRING'] };
    case 'TIMESTAMP':
      return { value: BigQuery.timestamp(formatInstant(parameter.at)), type: 'TIMESTAMP' };
  }
}

/** The parameters as the client takes them: each with its type, since a guessed one would be another for an empty list or a null. */
export function namedParameters(parameters: SqlParameters): Pick<Query, 'params' | 'types'> {
  const bound = Object.entries(parameters).map(([name, parameter]) => [name, valueOf(parameter)] as const);
  return {
    params: Object.fromEntries(bound.map(([name, { value }]) => [name, value])),
    types: Object.fromEntries(bound.map(([name, { type }]) => [name, type])),
  };
}
