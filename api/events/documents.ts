import { z } from 'zod';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { nameInput, timeInput } from '../http/schemas.ts';

/** How an event looks in structured mode. The parser of the pipeline judges it; this describes it. */
export const eventInput = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: nameInput.meta({ description: 'With `source` and the namespace of the key, which event it is' }),
    source: nameInput,
    type: nameInput.meta({ example: 'llm.request' }),
    subject: nameInput.meta({ description: 'Whose usage it is' }),
    time: timeInput.exactOptional(),
    datacontenttype: z.literal('application/json').exactOptional(),
    data: z.unknown().optional().meta({ description: 'JSON of at most 64 KiB and 8 levels' }),
  })
  .meta({ id: 'Event', description: 'A CloudEvent 1.0. Other attributes are kept, and not counted by.' });

const refusalDocument = z.object({ code: z.enum(DEAD_LETTER_REASONS), detail: z.string() }).meta({
  id: 'EventRefusal',
  description: 'Why an event is refused: a dead-letter reason, and how to mend it',
});

const resultDocument = z
  .object({
    index: z.int().meta({ description: 'Its place in the request' }),
    source: z.string().nullable(),
    id: z.string().nullable(),
    status: z.enum(['accepted', 'rejected']),
    problem: refusalDocument.exactOptional(),
  })
  .meta({ id: 'EventResult' });

export const ingestDocument = z
  .object({ accepted: z.int(), rejected: z.int(), results: z.array(resultDocument) })
  .meta({ id: 'EventResults' });
