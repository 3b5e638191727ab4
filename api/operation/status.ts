import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { readStatus, type NamespaceStatus } from '#infra/usage/read-status.ts';
import { json } from '../http/answer.ts';
import { route } from '../http/route.ts';
import { timeOutput } from '../http/schemas.ts';

const counted = {
  count: z.int(),
  more: z.boolean().meta({ description: 'There are more than were counted' }),
};

const statusDocument = z
  .object({
    namespace: z.string(),
    asOf: timeOutput
      .nullable()
      .meta({ description: 'Everything published before is in; null while no pipeline has reported' }),
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
  })
  .meta({ id: 'Status' });

const seconds = (micros: number): number => Math.round(micros / 1_000) / 1_000;

function toDocument(namespace: string, status: NamespaceStatus, now: number) {
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
  };
}

export const statusRoute = route({
  method: 'get',
  path: '/v1/status',
  name: 'getStatus',
  tag: 'Operation',
  scope: 'usage:read',
  summary: 'How the namespace stands: watermark, freshness, backlog, dead letters',
  answers: { 200: { description: 'The status', json: statusDocument } },
  handle: async ({ database, feeds }, { namespace, now }) =>
    json(200, toDocument(namespace, await readStatus({ database, topics: feeds, now }, namespace), now)),
});
