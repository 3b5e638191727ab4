import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { latestInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { countParked } from '#infra/invoicing/read-invoices.ts';
import { RUN_STATES, type InvoiceRunRow } from '#infra/invoicing/tables.ts';
import { readStatus, type BoundedCount, type NamespaceStatus } from '#infra/usage/read-status.ts';
import { json } from '../http/answer.ts';
import { route } from '../http/route.ts';
import { freshnessOutput, timeOutput } from '../http/schemas.ts';

const counted = {
  count: z.int(),
  more: z.boolean().meta({ description: 'There are more than were counted' }),
};

const statusDocument = z
  .object({
    namespace: z.string(),
    asOf: freshnessOutput.asOf,
    completeThrough: timeOutput.nullable(),
    freshnessSeconds: z.number().nullable().meta({ description: 'How far `asOf` is behind' }),
    heartbeatAgeSeconds: z
      .number()
      .nullable()
      .meta({ description: 'Some seconds mean that no pipeline runs' }),
    feeds: z.array(
      z.object({
        feed: z.string(),
        shared: z
          .boolean()
          .meta({ description: 'It brings events of other namespaces too, and its backlog is that of all' }),
        committedThrough: timeOutput,
        backlog: z
          .object({ messages: z.int(), oldestUnacknowledged: timeOutput.nullable() })
          .nullable()
          .meta({ description: 'Null when the topic does not tell' }),
      }),
    ),
    deadLetters: z
      .array(z.object({ reason: z.enum(DEAD_LETTER_REASONS), ...counted }))
      .meta({ description: 'Open ones, by reason' }),
    parkedAppends: z
      .object(counted)
      .meta({ description: 'Rows that count and that the warehouse refused: each needs a person' }),
    parkedInvoices: z
      .object(counted)
      .meta({ description: 'Each waits to be released, computed again, or voided' }),
    lastInvoiceRun: z
      .object({
        id: z.uuid(),
        state: z.enum(RUN_STATES),
        asOf: timeOutput,
        createdAt: timeOutput,
        finishedAt: timeOutput.nullable(),
        invoices: z.int().nullable().meta({ description: 'Null until it is done' }),
        parked: z.int().nullable().meta({ description: 'Of these the ones that wait for a decision' }),
        failed: z.int().nullable().meta({ description: 'Customers who could not be billed' }),
      })
      .nullable()
      .meta({ description: 'The newest one; null while there was none' }),
  })
  .meta({ id: 'Status' });

const seconds = (micros: number): number => Math.round(micros / 1_000) / 1_000;

const toLastRun = ({ id, state, asOf, createdAt, finishedAt, counts }: InvoiceRunRow) => ({
  id,
  state,
  asOf: formatInstant(asOf),
  createdAt: formatInstant(createdAt),
  finishedAt: finishedAt === null ? null : formatInstant(finishedAt),
  invoices: counts?.invoices ?? null,
  parked: counts?.parked ?? null,
  failed: counts?.failed ?? null,
});

function toDocument(
  namespace: string,
  status: NamespaceStatus & {
    readonly parkedInvoices: BoundedCount;
    readonly lastRun: InvoiceRunRow | undefined;
  },
  now: number,
) {
  const { freshness, feeds, deadLetters, parkedAppends, heartbeatAgeMicros } = status;
  return {
    namespace,
    asOf: freshness === undefined ? null : formatInstant(freshness.asOf),
    completeThrough: freshness === undefined ? null : formatInstant(freshness.completeThrough),
    freshnessSeconds: freshness === undefined ? null : seconds(Math.max(0, now - freshness.asOf)),
    heartbeatAgeSeconds: heartbeatAgeMicros === undefined ? null : seconds(heartbeatAgeMicros),
    feeds: feeds.map(({ feed, isShared, committedThrough, backlog }) => ({
      feed,
      shared: isShared,
      committedThrough: formatInstant(committedThrough),
      backlog:
        backlog === undefined
          ? null
          : {
              messages: backlog.messages,
              oldestUnacknowledged:
                backlog.oldestUnacknowledged === null ? null : formatInstant(backlog.oldestUnacknowledged),
            },
    })),
    deadLetters,
    parkedAppends,
    parkedInvoices: status.parkedInvoices,
    lastInvoiceRun: status.lastRun === undefined ? null : toLastRun(status.lastRun),
  };
}

export const statusRoute = route({
  method: 'get',
  path: '/v1/status',
  name: 'getStatus',
  tag: 'Operation',
  scope: 'usage:read',
  summary: 'How the namespace stands: watermark, freshness, backlog, dead letters, invoices',
  answers: { 200: { description: 'The status', json: statusDocument } },
  handle: async ({ database, feeds }, { namespace, now }) => {
    const status = await readStatus({ database, topics: feeds, now }, namespace);
    const [lastRun, parkedInvoices] = await Promise.all([
      latestInvoiceRun(database, namespace),
      countParked(database, namespace),
    ]);
    return json(200, toDocument(namespace, { ...status, lastRun, parkedInvoices }, now));
  },
});
