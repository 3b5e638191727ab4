import { z } from 'zod';
import { REPLAYED_LETTERS_MAX } from '#domain/limits.ts';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { parseDeadLetterId } from '#infra/usage/dead-letter-name.ts';
import type { DeadLetterSelection } from '#infra/usage/dead-letter-selection.ts';
import { CURSOR_LENGTH_MAX, encodeCursor } from '../http/cursor.ts';
import { positionOf } from '../http/page.ts';
import { nameInput, timeInput } from '../http/schemas.ts';

/** Which dead letters, by what is known of each; what is left out matches all. */
export const filterInputs = {
  reason: z.enum(DEAD_LETTER_REASONS).exactOptional(),
  type: nameInput.exactOptional().meta({ description: 'The event type', example: 'llm.request' }),
  from: timeInput.exactOptional().meta({ description: 'Received at or after' }),
  to: timeInput.exactOptional().meta({ description: 'Received before' }),
};

const ID_LENGTH_MAX = 1_024;

export const idInput = z
  .string()
  .max(ID_LENGTH_MAX)
  .transform((text, context) => {
    const name = parseDeadLetterId(text);
    if (name !== undefined) return name;
    context.addIssue({ code: 'custom', message: 'is no id of a dead letter' });
    return z.NEVER;
  })
  .meta({ override: { type: 'string', maxLength: ID_LENGTH_MAX } });

/** Some by their ids, or the open ones that match. All of them takes `{"matching": {}}`: nothing is chosen by leaving something out. */
export const selectionInput = z
  .union([
    z.strictObject({ ids: z.array(idInput).min(1).max(REPLAYED_LETTERS_MAX) }),
    z.strictObject({
      matching: z.strictObject(filterInputs),
      cursor: z.string().max(CURSOR_LENGTH_MAX).exactOptional().meta({
        description: '`nextCursor` of the call before',
      }),
    }),
  ])
  .meta({
    id: 'DeadLetterSelection',
    example: { matching: { reason: 'value_missing', type: 'llm.request' } },
  });

export const positionSchema = z.object({ receivedAt: z.int(), feed: z.string(), messageId: z.string() });
type Position = z.output<typeof positionSchema>;

/** Throws the problem `invalid_cursor`. */
export function toSelection(input: z.output<typeof selectionInput>): DeadLetterSelection {
  if ('ids' in input) return { letters: input.ids };
  const after = positionOf(input.cursor, positionSchema);
  return { matching: input.matching, ...(after && { after }) };
}

export const cursorOf = (next: Position | undefined): string | null =>
  next === undefined ? null : encodeCursor(next);
