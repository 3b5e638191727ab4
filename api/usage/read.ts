import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { WindowUnit } from '#domain/calendar/window.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import {
  METER_DIMENSIONS_MAX,
  SUBJECTS_PER_QUERY_MAX,
  USAGE_PAGE_ROWS_MAX,
  USAGE_STREAM_ROWS_MAX,
} from '#domain/limits.ts';
import type { RowPosition } from '#domain/usage/usage-query.ts';
import { readUsage, type ReadUsage, type UsageAnswer } from '#infra/usage/read-usage.ts';
import type { Freshness } from '#infra/usage/watermark.ts';
import { chooseMediaType } from '../http/accept.ts';
import { json, stream } from '../http/answer.ts';
import { encodeCursor } from '../http/cursor.ts';
import { positionOf } from '../http/page.ts';
import { route } from '../http/route.ts';
import {
  freshnessOutput,
  keyInput,
  listQuery,
  nameInput,
  recordInput,
  repeatable,
  timeInput,
  timeOutput,
  wholeNumberInput,
} from '../http/schemas.ts';
import type { Services } from '../services.ts';
import { askedSubjects } from './asked-subjects.ts';
import { openCsv } from './csv-stream.ts';
import { rowDocument, tag, timezoneInput, toRowDocument, windowInput } from './documents.ts';
import { askingForUsage, refuseQuery } from './usage-problem.ts';

const parameters = z
  .strictObject({
    meter: keyInput,
    subject: repeatable(nameInput, SUBJECTS_PER_QUERY_MAX)
      .exactOptional()
      .meta({ description: `Whose usage: 1 to ${SUBJECTS_PER_QUERY_MAX} subjects` }),
    customer: nameInput
      .exactOptional()
      .meta({ description: 'Or: the usage of its subjects while they belonged to this customer' }),
    from: timeInput,
    to: timeInput,
    window: windowInput.default('none'),
    timezone: timezoneInput.default('UTC'),
    groupBy: repeatable(z.string().max(64), METER_DIMENSIONS_MAX + 1)
      .exactOptional()
      .meta({ description: 'Dimensions, and `subject`' }),
    filter: recordInput(z.array(z.string()))
      .exactOptional()
      .meta({
        description: '`filter[model]=m1`: the values of a dimension that count',
        param: { style: 'deepObject', explode: true },
      }),
    limit: wholeNumberInput(1, USAGE_PAGE_ROWS_MAX)
      .default(USAGE_PAGE_ROWS_MAX)
      .meta({ description: 'Rows of a page; CSV has no pages' }),
    cursor: listQuery.cursor,
  })
  .superRefine(({ subject, customer }, context) => {
    if ((subject === undefined) === (customer === undefined))
      context.addIssue({ code: 'custom', path: ['customer'], message: 'give either subjects or a customer' });
  });

type Parameters = z.output<typeof parameters>;

const usageDocument = z
  .object({
    meter: z.string(),
    from: timeOutput,
    to: timeOutput,
    window: windowInput,
    timezone: z.string(),
    ...freshnessOutput,
    dirty: z
      .boolean()
      .meta({ description: 'A part of it waits to be recomputed after a void, and is not final' }),
    rows: z.array(rowDocument),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'Usage' });

const FRESHNESS_HEADERS = {
  'Millrace-As-Of': 'CSV: everything published before is in',
  'Millrace-Complete-Through': 'CSV: every event that happened before is in, if the declared lateness holds',
};

export const readUsageRoute = route({
  method: 'get',
  path: '/v1/usage',
  name: 'getUsage',
  tag,
  scope: 'usage:read',
  summary: 'The usage of subjects or a customer by one meter, by window and group',
  description:
    'Without `groupBy` every window of the range has a row; with it only groups with usage. Rows come in order of from, subject and ' +
    `group; the first and last window are cut to the range. \`Accept: text/csv\` streams up to ${USAGE_STREAM_ROWS_MAX} rows.`,
  parameters: { query: parameters },
  answers: {
    200: {
      description: 'One page, or all of it as CSV',
      json: usageDocument,
      mediaTypes: ['text/csv'],
      headers: FRESHNESS_HEADERS,
    },
  },
  problems: [
    'invalid_query',
    'invalid_cursor',
    'meter_not_found',
    'customer_not_found',
    'not_acceptable',
    'too_many_streams',
  ],
  handle: (services, { namespace, query, headers, signal }) =>
    askingForUsage(async () => {
      const mediaType = chooseMediaType(headers['accept']?.toString(), ['application/json', 'text/csv']);
      const question = await questionOf(services, namespace, query);
      if (mediaType === 'application/json')
        return json(
          200,
          toDocument(query, await readUsage(services.database, { ...question, signal: signal() })),
        );
      const { freshness, chunks } = await openCsv(services, question, signal());
      return {
        ...stream(200, 'text/csv; charset=utf-8; header=present', chunks),
        headers: headersOf(freshness),
      };
    }),
});

async function questionOf(
  { database }: Services,
  namespace: string,
  { subject: subjects, customer, cursor, ...asked }: Parameters,
): Promise<ReadUsage> {
  checkWindowCount(asked);
  const after = positionOf(cursor, cursorPosition);
  return {
    namespace,
    ...asked,
    subjects: await askedSubjects(database, namespace, { subjects, customer, range: asked }),
    ...(after ? { after } : {}),
  };
}

/** No window of its kind is longer: a day with a change of the clocks, and one shown twice, are below two days. */
const LONGEST_WINDOW: Readonly<Record<WindowUnit, number>> = {
  minute: MICROS_PER_MINUTE,
  hour: MICROS_PER_HOUR,
  day: 2 * MICROS_PER_DAY,
  month: 33 * MICROS_PER_DAY,
  none: Infinity,
};

/** Windows cost something even where groups have no row in them. */
function checkWindowCount({ from, to, window }: Pick<Parameters, 'from' | 'to' | 'window'>): void {
  if ((to - from) / LONGEST_WINDOW[window] <= USAGE_STREAM_ROWS_MAX) return;
  const message = `the range has more than ${USAGE_STREAM_ROWS_MAX} windows: ask for a longer window or a shorter range`;
  throw refuseQuery('query:window', 'too_many_rows', message);
}

const cursorPosition = z
  .tuple([z.int(), z.string(), z.string()])
  .transform(([from, subject, group]): RowPosition => ({ from, subject, group }));

const toDocument = ({ window }: Parameters, { meter, query, freshness, dirty, rows, next }: UsageAnswer) => ({
  meter: meter.key,
  from: formatInstant(query.from),
  to: formatInstant(query.to),
  window,
  timezone: query.timezone,
  asOf: timeOrNull(freshness?.asOf),
  completeThrough: timeOrNull(freshness?.completeThrough),
  dirty,
  rows: rows.map(toRowDocument),
  nextCursor: next ? encodeCursor([next.from, next.subject, next.group]) : null,
});

const timeOrNull = (at: Instant | undefined): string | null => (at === undefined ? null : formatInstant(at));

const headersOf = (freshness: Freshness | undefined): Record<string, string> =>
  freshness === undefined
    ? {}
    : {
        'Millrace-As-Of': formatInstant(freshness.asOf),
        'Millrace-Complete-Through': formatInstant(freshness.completeThrough),
      };
