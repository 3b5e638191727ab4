import { Decimal } from 'decimal.js';
import { z } from 'zod';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { NAME_BYTES_MAX } from '#domain/limits.ts';
import { parsePlainDecimal, toDecimalString } from '#domain/metering/quantity.ts';
import { NumberText } from './exact-json.ts';
import { CURSOR_LENGTH_MAX } from './cursor.ts';

/** A time of a request: RFC 3339 with an offset, as microseconds since the epoch from here on. */
export const timeInput = z
  .string()
  .max(64)
  .transform((text, context) => {
    const at = parseRfc3339(text)?.at;
    if (at !== undefined && Number.isSafeInteger(at)) return at;
    context.addIssue({
      code: 'custom',
      message: 'must be an RFC 3339 time with an offset, such as 2026-03-01T00:00:00Z',
    });
    return z.NEVER;
  })
  .meta({ override: { type: 'string', format: 'date-time' }, example: '2026-03-01T00:00:00Z' });

/** A time of an answer: in UTC with `Z`. */
export const timeOutput = z
  .string()
  .meta({ format: 'date-time', description: 'RFC 3339 in UTC, to the microsecond' });

/** How current an answer about usage is. */
export const freshnessOutput = {
  asOf: timeOutput
    .nullable()
    .meta({ description: 'Everything published before is in; null while no pipeline has reported' }),
  completeThrough: timeOutput
    .nullable()
    .meta({ description: 'Every event that happened before is in, if the declared lateness holds' }),
};

const QUANTITY_TEXT_MAX = 64;
const QUANTITY_TEXT = /^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/;

/** A quantity of a request: a decimal string, or a JSON number that is read digit by digit. A plain decimal string from here on. */
export const quantityInput = z
  .union([z.string(), z.number(), z.instanceof(NumberText).meta({ override: { type: 'number' } })])
  .transform((given, context) => {
    const read = readQuantity(given instanceof NumberText ? given.text : String(given));
    if (read !== undefined) return read;
    context.addIssue({
      code: 'custom',
      message: 'must be a decimal with at most 20 integer digits and 18 decimals, as a string or a number',
    });
    return z.NEVER;
  })
  .meta({
    override: { anyOf: [{ type: 'string', pattern: QUANTITY_TEXT.source }, { type: 'number' }] },
    example: '1200.5',
  });

function readQuantity(text: string): string | undefined {
  if (text.length > QUANTITY_TEXT_MAX || !QUANTITY_TEXT.test(text)) return undefined;
  const quantity = parsePlainDecimal(new Decimal(text).toFixed());
  return typeof quantity === 'string' ? undefined : toDecimalString(quantity);
}

/** A quantity of a request that is not below 0. */
export const amountInput = quantityInput
  .refine((text) => !text.startsWith('-'), 'must not be below 0')
  .meta({
    override: {
      anyOf: [
        { type: 'string', pattern: QUANTITY_TEXT.source.replace('-?', '') },
        { type: 'number', minimum: 0 },
      ],
    },
    example: '1000',
  });

export const quantityOutput = z
  .string()
  .meta({ pattern: '^-?\\d+(\\.\\d+)?$', description: 'An exact decimal', example: '1200.5' });

/** The key of a thing that a user names. */
export const keyInput = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/, 'must match ^[a-z0-9][a-z0-9_.-]{0,62}$')
  .meta({ example: 'tokens' });

const CONTROL_CHARACTER = /\p{Cc}/u;

/** The name of a subject, customer, source, event id or event type: printable text of at most 256 bytes of UTF-8. */
export const nameInput = z
  .string()
  .min(1)
  .refine(
    (text) =>
      Buffer.byteLength(text) <= NAME_BYTES_MAX && text.isWellFormed() && !CONTROL_CHARACTER.test(text),
    `must be printable text of at most ${NAME_BYTES_MAX} bytes of UTF-8`,
  )
  .meta({ example: 'acme' });

/** A customer or subject as it stands in a path: `.` and `..` would be eaten by URL normalisation. */
export const pathNameInput = nameInput.refine((text) => text !== '.' && text !== '..', 'must not be . or ..');

/** Values by names that the caller gives. zod passes over the name `__proto__` without a word, and what was sent under it would be lost. */
export const recordInput = <Value extends z.ZodType>(value: Value) =>
  z.preprocess(
    (given, context) => {
      if (typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__'))
        context.addIssue({ code: 'custom', path: ['__proto__'], message: 'no name may be __proto__' });
      return given;
    },
    z.record(z.string(), value),
  );

export const LIST_PAGE_MAX = 200;
export const LIST_PAGE_DEFAULT = 50;

/** A whole number of a query string. */
export const wholeNumberInput = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`)
    .meta({ override: { type: 'integer', minimum: min, maximum: max } });

export const listQuery = {
  limit: wholeNumberInput(1, LIST_PAGE_MAX).default(LIST_PAGE_DEFAULT),
  cursor: z.string().max(CURSOR_LENGTH_MAX).exactOptional(),
};

/** One page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** A query parameter that may come several times: always a list from here on. */
export const repeatable = <Item extends z.ZodType>(item: Item, max: number) =>
  z
    .union([item.transform((one) => [one]), z.array(item)])
    .refine((list) => list.length <= max, `must be given at most ${max} times`);
