import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { toDeadLetterId } from '#infra/usage/dead-letter-name.ts';
import type { LetterLeftAlone } from '#infra/usage/dead-letter-selection.ts';
import {
  DEAD_LETTER_STATES,
  toDeadLetter,
  type DeadLetter,
  type DeadLetterRow,
} from '#infra/usage/dead-letters.ts';
import { timeOutput } from '../http/schemas.ts';

export const deadLetterDocument = z
  .object({
    id: z.string(),
    state: z.enum(DEAD_LETTER_STATES),
    reason: z.enum(DEAD_LETTER_REASONS),
    detail: z.string(),
    type: z.string().nullable(),
    source: z.string().nullable(),
    eventId: z.string().nullable(),
    subject: z.string().nullable(),
    identity: z
      .string()
      .nullable()
      .meta({ description: 'Of the event, when its source and id could be read' }),
    publishTime: timeOutput,
    receivedAt: timeOutput,
    closedAt: timeOutput.nullable(),
    byteLength: z.int(),
    isCut: z
      .boolean()
      .meta({ description: 'The message was too large to be kept whole: it cannot be replayed' }),
  })
  .meta({ id: 'DeadLetter' });

export const toDocument = (letter: DeadLetter) => ({
  id: toDeadLetterId(letter),
  state: letter.state,
  reason: letter.reason,
  detail: letter.detail,
  type: letter.type,
  source: letter.source,
  eventId: letter.eventId,
  subject: letter.subject,
  identity: letter.identity === null ? null : toHex(letter.identity),
  publishTime: formatInstant(letter.publishTime),
  receivedAt: formatInstant(letter.receivedAt),
  closedAt: letter.closedAt === null ? null : formatInstant(letter.closedAt),
  byteLength: letter.byteLength,
  isCut: letter.isCut,
});

export const wholeLetterDocument = deadLetterDocument
  .extend({
    attributes: z
      .record(z.string(), z.string())
      .meta({ description: 'Of the message: events in binary mode live in them' }),
    bytes: z.string().meta({
      contentEncoding: 'base64',
      description: 'The original bytes of the message; of one that is cut, the first',
    }),
    bytesHash: z
      .string()
      .nullable()
      .meta({ description: 'Of a message that is cut: SHA-256 of all of it, in hex' }),
  })
  .meta({ id: 'WholeDeadLetter' });

export const toWholeDocument = (row: DeadLetterRow) => ({
  ...toDocument(toDeadLetter(row)),
  attributes: row.attributes,
  bytes: Buffer.from(row.bytes).toString('base64'),
  bytesHash: row.bytesHash,
});

export const leftAloneDocument = z
  .object({
    id: z.string(),
    why: z.enum(['not_found', 'closed', 'cut', 'too_many_attributes']),
  })
  .meta({ id: 'DeadLetterLeftAlone' });

export const toLeftAlone = (left: LetterLeftAlone) => ({ id: toDeadLetterId(left), why: left.why });
