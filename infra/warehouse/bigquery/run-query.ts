import type { BigQuery, Job, Query, QueryResultsOptions } from '@google-cloud/bigquery';
import { WarehouseLimitExceeded, WarehouseUnavailable } from '../errors.ts';
import type { Gate } from '../gate.ts';
import type { QueryParameters, WarehouseRow } from '../warehouse.ts';
import { EVENTS } from '../tables.ts';
import { isCutOff, queryFailure } from './failures.ts';
import type { SqlRow, SqlValue } from './queries/named-query.ts';
import { planQuery } from './queries/registry.ts';
import { namedParameters } from './queries/sql-parameters.ts';
import { qualified } from './qualified.ts';

/** Rows of one page of an answer; BigQuery makes it shorter where they are large. */
const PAGE_ROWS = 10_000;

/** So often a question is asked whose connection was cut off. */
const CUT_OFF_TRIES_MAX = 3;

/** How queries of the driver are run and paid for. */
export interface QuerySettings {
  /** A query that would read more is refused by BigQuery before it costs anything; no bound when absent. */
  readonly maximumBytesBilled?: bigint | undefined;
  /** `batch` waits for idle slots and does not count against the queries that run at once. */
  readonly priority?: 'interactive' | 'batch' | undefined;
}

export interface QuerySession extends QuerySettings {
  readonly bigquery: BigQuery;
  readonly projectId: string;
  readonly dataset: string;
  readonly location?: string | undefined;
  readonly gate: Gate;
}

/** The answer to a named query, a page at a time. Leaving the loop asks for no further page. */
export async function* runQuery(
  session: QuerySession,
  name: string,
  given: QueryParameters,
): AsyncGenerator<WarehouseRow, void, undefined> {
  const plan = planQuery(name, given, qualified(session, EVENTS.name));
  const query: Query = {
    ...querySettings(session, name),
    ...namedParameters(plan.parameters),
    query: `${plan.sql}\nLIMIT ${plan.limit ?? plan.rowsMax + 1}`,
  };
  let rows = 0;
  for await (const page of pagesOf(session, name, query)) {
    for (const row of page) {
      if (++rows > plan.rowsMax)
        throw new WarehouseLimitExceeded(
          `query ${name} has more than ${plan.rowsMax} rows: ask for less at a time`,
        );
      yield plan.present(row);
    }
  }
}

function querySettings(session: QuerySession, name: string): Partial<Query> {
  const { location, maximumBytesBilled, priority } = session;
  return {
    labels: { millrace: 'warehouse', query: name },
    skipParsing: true,
    maxResults: PAGE_ROWS,
    ...(location === undefined ? {} : { location }),
    ...(maximumBytesBilled === undefined ? {} : { maximumBytesBilled: String(maximumBytesBilled) }),
    ...(priority === 'batch' ? { priority: 'BATCH' } : {}),
  };
}

/** The rows of an answer page by page, as they come; each page is asked for when the one before it has been read. */
async function* pagesOf(session: QuerySession, name: string, query: Query): AsyncGenerator<SqlRow[]> {
  const { bigquery, gate } = session;
  const ask = async (work: () => Promise<unknown>, tries = 1): Promise<Page> => {
    try {
      return pageOf(await gate.enter(work));
    } catch (error) {
      // A question may be asked again; the client does so by itself, but not where it goes to an emulator.
      if (isCutOff(error) && tries < CUT_OFF_TRIES_MAX) return ask(work, tries + 1);
      throw error instanceof WarehouseUnavailable ? error : queryFailure(name, error);
    }
  };
  let page = await ask(() => bigquery.query(query, { autoPaginate: false }));
  yield page.rows;
  while (page.next !== undefined) {
    const { job, ...rest } = page.next;
    page = await ask(() => job.getQueryResults({ ...rest, autoPaginate: false, skipParsing: true }));
    yield page.rows;
  }
}

interface Page {
  readonly rows: SqlRow[];
  /** How to ask for the next one: where the job is still running, that is the first one. */
  readonly next: (QueryResultsOptions & { readonly job: Job }) | undefined;
}

/** What the client passes on unparsed, so that no value goes through a type of JavaScript that it does not fit. */
interface RawRow {
  readonly f: readonly { readonly v: string | null | readonly { readonly v: string }[] }[];
}
interface RawAnswer {
  readonly schema?: { readonly fields?: readonly { readonly name: string }[] };
}

function pageOf(answer: unknown): Page {
  const [rows, next, { schema } = {}] = answer as [RawRow[], Page['next'] | null, RawAnswer?];
  const names = (schema?.fields ?? []).map(({ name }) => name);
  return { rows: rows.map((row) => rowOf(names, row)), next: next ?? undefined };
}

function rowOf(names: readonly string[], { f }: RawRow): SqlRow {
  const row: Record<string, SqlValue> = {};
  for (const [index, name] of names.entries()) {
    const value = f[index]?.v ?? null;
    row[name] = value === null || typeof value === 'string' ? value : value.map(({ v }) => v);
  }
  return row;
}
