import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { OVERAGES, type LimitDefinition, type LimitPeriod } from '#domain/entitlements/limit.ts';
import { LIMITS_PER_FEATURE_MAX } from '#domain/limits.ts';
import { amountInput, keyInput, quantityOutput, timeInput, timeOutput } from '../http/schemas.ts';

const periodInput = z
  .union([
    z.strictObject({
      every: z
        .string()
        .meta({ description: 'An ISO 8601 duration of one unit: P1M, P1W, PT15M', example: 'P1M' }),
      anchor: timeInput.exactOptional().meta({
        description: 'What periods are counted from; without it they are those of the calendar',
        override: { type: 'string', format: 'date-time' },
      }),
      timezone: z.string().exactOptional().meta({ description: 'An IANA zone; UTC when left out' }),
    }),
    z.strictObject({
      rolling: z
        .string()
        .meta({ description: 'A window that ends now: PT5H. At most 7 days', example: 'PT5H' }),
    }),
  ])
  .meta({ id: 'LimitPeriodInput' });

export const limitsInput = z
  .strictObject({
    limits: z
      .array(
        z.strictObject({
          key: keyInput,
          amount: amountInput,
          period: periodInput,
          overage: z.enum(OVERAGES).meta({
            description:
              '`hard` refuses beyond the amount, `soft` allows it and says so, `metered` allows it as paid usage',
          }),
        }),
      )
      .max(LIMITS_PER_FEATURE_MAX),
  })
  .meta({
    id: 'LimitsInput',
    example: { limits: [{ key: 'monthly', amount: '1000000', period: { every: 'P1M' }, overage: 'hard' }] },
  });

const periodDocument = z.union([
  z.object({ every: z.string(), anchor: timeOutput.exactOptional(), timezone: z.string().exactOptional() }),
  z.object({ rolling: z.string() }),
]);

export const limitsDocument = z
  .object({
    customer: z.string(),
    feature: z.string(),
    limits: z.array(
      z.object({
        key: z.string(),
        amount: quantityOutput,
        period: periodDocument,
        overage: z.enum(OVERAGES),
      }),
    ),
  })
  .meta({ id: 'Limits' });

export const toLimitsDocument = (of: {
  readonly customer: string;
  readonly feature: string;
  readonly limits: readonly LimitDefinition[];
}) => ({
  customer: of.customer,
  feature: of.feature,
  limits: of.limits.map((limit) => ({ ...limit, period: toPeriodDocument(limit.period) })),
});

function toPeriodDocument(period: LimitPeriod) {
  if ('rolling' in period) return { rolling: period.rolling };
  const { every, anchor, timezone } = period;
  return {
    every,
    ...(anchor === undefined ? {} : { anchor: formatInstant(anchor) }),
    ...(timezone === undefined ? {} : { timezone }),
  };
}
