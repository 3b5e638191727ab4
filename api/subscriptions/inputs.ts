import { z } from 'zod';
import { MIGRATED_CUSTOMERS_MAX } from '#domain/limits.ts';
import type { ChangeMoment } from '#domain/subscriptions/change.ts';
import { PHASES_ON_CHANGE } from '#domain/subscriptions/change.ts';
import { ALIGNMENTS } from '#domain/subscriptions/subscription.ts';
import { keyInput, nameInput, recordInput, timeInput } from '../http/schemas.ts';
import { anchorInput } from '../rating/anchor-input.ts';
import { billedChargeInput, decimalInput } from '../rating/charge-input.ts';

const ZONE_TEXT_MAX = 64;
const CURRENCY_TEXT_MAX = 8;

const { price, quantity, discount } = billedChargeInput.shape;

export const overrideInput = z
  .strictObject({ price: price.nullable().exactOptional(), quantity, discount })
  .meta({
    id: 'ChargeOverride',
    description:
      'What one subscription pays otherwise, in its currency; what is left out is as the plan says',
  });

export const versionNumberInput = z
  .int()
  .min(1)
  .meta({ description: 'The newest active one of the plan if left out' });

export const spendThresholdInput = decimalInput.nullable().meta({
  description: 'Usage that came to so much since the last invoice is billed at once. In place of the plan’s',
});

export const subscriptionInput = z
  .strictObject({
    plan: keyInput.meta({ example: 'pro' }),
    version: versionNumberInput.exactOptional(),
    startAt: timeInput
      .exactOptional()
      .meta({ description: 'Now if left out; up to 400 days back. Moved down to its minute' }),
    endAt: timeInput.nullable().exactOptional().meta({ description: 'Null or left out: it goes on' }),
    currency: z
      .string()
      .max(CURRENCY_TEXT_MAX)
      .exactOptional()
      .meta({ description: 'The customer’s if left out, and the plan’s where it has only one' }),
    timezone: z
      .string()
      .max(ZONE_TEXT_MAX)
      .exactOptional()
      .meta({ description: 'An IANA name; the customer’s if left out' }),
    alignment: z.enum(ALIGNMENTS).exactOptional().meta({
      description:
        '`customer`: periods are counted from the customer’s billing anchor, so that all its subscriptions are due together. `own` if left out',
    }),
    anchor: anchorInput.exactOptional(),
    seller: keyInput
      .exactOptional()
      .meta({ description: 'The customer’s if left out, and the namespace’s where it has only one' }),
    quantities: recordInput(decimalInput)
      .exactOptional()
      .meta({ description: 'Seats by charge', example: { seats: '5' } }),
    overrides: recordInput(overrideInput).exactOptional(),
    addOns: recordInput(decimalInput)
      .exactOptional()
      .meta({ description: 'How often each add-on is taken', example: { support: '1' } }),
    spendThreshold: spendThresholdInput.exactOptional(),
    metadata: recordInput(z.string()).exactOptional(),
  })
  .meta({ id: 'SubscriptionInput', example: { plan: 'pro', quantities: { seats: '5' } } });

/** RFC 7396 on what has no history. */
export const subscriptionPatchInput = z
  .strictObject({
    spendThreshold: spendThresholdInput.exactOptional(),
    metadata: recordInput(z.string().nullable()).nullable().exactOptional(),
  })
  .meta({ id: 'SubscriptionPatch', description: 'A merge patch: null takes a field or an entry away' });

export const momentInput = z
  .union([z.enum(['now', 'periodEnd']), timeInput])
  .default('now')
  .meta({
    description:
      '`now` (if left out), `periodEnd` (the end of the longest billing period that runs now, or of a trial), or a time, ' +
      'up to 400 days back and ten years ahead, moved down to its minute',
  }) satisfies z.ZodType<ChangeMoment>;

const nullable = <Schema extends z.ZodType>(schema: Schema) => recordInput(schema.nullable()).exactOptional();

export const changeInput = z
  .strictObject({
    at: momentInput,
    plan: keyInput.exactOptional().meta({ description: 'The one in force if left out' }),
    version: z.int().min(1).exactOptional().meta({
      description: 'With a plan: its newest active one if left out. Without either, the version stays',
    }),
    phases: z.enum(PHASES_ON_CHANGE).exactOptional().meta({
      description:
        'Whether phases go on being counted or begin anew; if left out they go on within a family and begin anew in another',
    }),
    anchor: anchorInput.exactOptional(),
    quantities: nullable(decimalInput).meta({
      description: 'Seats by charge; what is not named stays, null is as many as the plan says',
    }),
    overrides: nullable(overrideInput).meta({
      description: 'Each whole; what is not named stays, null takes one away',
    }),
    addOns: nullable(decimalInput).meta({ description: 'What is not named stays, null is none' }),
  })
  .meta({ id: 'SubscriptionChange', example: { at: 'periodEnd', plan: 'pro', quantities: { seats: '10' } } });

export const momentBody = z.strictObject({ at: momentInput }).meta({ id: 'ChangeMoment' });

export const pauseInput = z
  .strictObject({
    at: momentInput,
    until: timeInput.exactOptional().meta({ description: 'When it goes on by itself' }),
  })
  .meta({ id: 'Pause' });

export const migrationInput = z
  .strictObject({
    from: z.int().min(1).meta({ description: 'The version that subscriptions are moved from' }),
    at: momentInput,
    customers: z
      .array(nameInput)
      .max(MIGRATED_CUSTOMERS_MAX)
      .exactOptional()
      .meta({ description: 'Only theirs; everybody’s if left out' }),
    cursor: z
      .uuid()
      .exactOptional()
      .meta({ description: '`nextCursor` of the call before, to go on where it ended' }),
  })
  .meta({ id: 'Migration', example: { from: 1, at: 'periodEnd' } });
