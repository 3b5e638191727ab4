import { hasDirtyCells } from '#domain/usage/loaded-usage.ts';
import {
  SUBJECTS_EVER_PER_CUSTOMER_MAX,
  USAGE_PAGE_ROWS_MAX,
  USAGE_STREAM_ROWS_MAX,
} from '#domain/limits.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import {
  usageQuery,
  UsageQueryError,
  type RowPosition,
  type UsageQuery,
  type UsageRequest,
} from '#domain/usage/usage-query.ts';
import { positionOf, usageRows, type UsageRow } from '#domain/usage/usage-rows.ts';
import { readCatalogueRow, readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { RuleError } from '#infra/rule-error.ts';
import { loadInParts, type AskedSubject } from './load-usage.ts';
import { readFreshness, type Freshness } from './watermark.ts';

/** A question about the usage of some subjects by one meter. */
export interface ReadUsage extends Omit<UsageRequest, 'aggregation' | 'rolledThrough' | 'dimensions'> {
  readonly namespace: string;
  readonly meter: string;
  /** Whose usage; with spans only while they last, such as those in which a subject belonged to a customer. */
  readonly subjects: readonly AskedSubject[];
  /** Rows of one page, 10,000 unless fewer are wanted. */
  readonly limit?: number;
  /** Ends the reading between two parts: nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

interface Answered {
  readonly meter: MeterVersion;
  /** The question in its normal form: its range is of whole minutes. */
  readonly query: UsageQuery;
  /** Absent while no feed has reported a watermark. */
  readonly freshness: Freshness | undefined;
}

export interface UsageAnswer extends Answered {
  readonly rows: readonly UsageRow[];
  /** Where the next page goes on; absent when these are the last rows. */
  readonly next?: RowPosition;
  /** Some cell waits to be recomputed: such usage may be shown but not invoiced. */
  readonly dirty: boolean;
}

export interface UsageStream extends Answered {
  /** In order, loaded as they are asked for. Throws `RuleError` `too_many_rows` after a million. */
  readonly rows: AsyncIterable<UsageRow>;
}

export class UnknownMeter extends RuleError<'unknown_meter'> {
  constructor(key: string) {
    super('unknown_meter', `there is no meter ${key} that can be read`);
    this.name = 'UnknownMeter';
  }
}

/**
 * One page of an answer from the cells, never from events. Watermark, catalogue, meter and cells are read in one snapshot; the next page is
 * read in another, and may be of a later state. Throws `UnknownMeter`, `UsageQueryError`, `UnknownTimeZoneError`, `TooManyDistinctValuesError`.
 */
export const readUsage = (database: Database, request: ReadUsage): Promise<UsageAnswer> =>
  inSnapshot(database, (snapshot) => readUsageFrom(snapshot, request));

/** The same from a snapshot that other answers have to agree with. */
export async function readUsageFrom(snapshot: Reads, request: ReadUsage): Promise<UsageAnswer> {
  const asked = await ask(snapshot, request);
  return { ...asked, ...(await firstRows(snapshot, asked, request)) };
}

/**
 * Hands all rows of an answer to `consume`, from one snapshot and without ever holding more than a part of them. The snapshot is open until
 * `consume` has ended: whoever reads slowly has to be stopped. Throws what `readUsage` throws, also while rows are asked for.
 */
export const streamUsage = <Result>(
  database: Database,
  request: Omit<ReadUsage, 'limit'>,
  consume: (stream: UsageStream) => Promise<Result>,
): Promise<Result> =>
  inSnapshot(database, async (snapshot) => {
    const asked = await ask(snapshot, request);
    return consume({ ...asked, rows: allRows(snapshot, asked, request) });
  });

async function ask(snapshot: Reads, request: ReadUsage): Promise<Answered> {
  const { namespace, subjects } = request;
  // A customer may have had so many; how many a question may name is for whoever takes questions to say.
  if (subjects.length > SUBJECTS_EVER_PER_CUSTOMER_MAX)
    throw new UsageQueryError(
      'subjects_invalid',
      `a question is about at most ${SUBJECTS_EVER_PER_CUSTOMER_MAX} subjects, not ${subjects.length}`,
    );
  const freshness = await readFreshness(snapshot, namespace);
  const { rolledThrough } = await readCatalogueRow(snapshot, namespace);
  const meter = await activeMeter(snapshot, namespace, request.meter);
  const { aggregation, dimensions = {} } = meter.definition;
  const query = usageQuery({ ...request, aggregation, rolledThrough, dimensions: Object.keys(dimensions) });
  return { meter, query, freshness };
}

/** The version of a meter that answers questions. Throws `UnknownMeter`. */
export async function activeMeter(from: Reads, namespace: string, key: string): Promise<MeterVersion> {
  const versions = await readMeterVersions(from, namespace, key);
  const active = versions.find(({ state }) => state === 'active');
  if (active === undefined) throw new UnknownMeter(key);
  return active;
}

async function firstRows(
  snapshot: Reads,
  { meter, query }: Answered,
  { namespace, subjects, limit = USAGE_PAGE_ROWS_MAX, signal }: ReadUsage,
): Promise<Pick<UsageAnswer, 'rows' | 'next' | 'dirty'>> {
  const rowsMax = Math.min(limit, USAGE_PAGE_ROWS_MAX);
  const rows: UsageRow[] = [];
  let dirty = false;
  for await (const { part, usage } of loadInParts({ from: snapshot, namespace, meter, subjects }, query)) {
    signal?.throwIfAborted();
    dirty ||= hasDirtyCells(usage);
    for (const row of usageRows(part, usage)) {
      const last = rows.at(-1);
      // Only a row too many shows that there is a next page.
      if (rows.length >= rowsMax && last !== undefined) return { rows, next: positionOf(query, last), dirty };
      rows.push(row);
    }
  }
  return { rows, dirty };
}

async function* allRows(
  snapshot: Reads,
  { meter, query }: Answered,
  { namespace, subjects, signal }: ReadUsage,
): AsyncGenerator<UsageRow> {
  let rows = 0;
  for await (const { part, usage } of loadInParts({ from: snapshot, namespace, meter, subjects }, query)) {
    signal?.throwIfAborted();
    for (const row of usageRows(part, usage)) {
      if (++rows > USAGE_STREAM_ROWS_MAX)
        throw new RuleError('too_many_rows', `the answer has more than ${USAGE_STREAM_ROWS_MAX} rows`);
      yield row;
    }
  }
}
