import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Entitlement, LimitAnswer, Reason } from '#domain/entitlements/entitlement.ts';
import { OVERAGES } from '#domain/entitlements/limit.ts';
import type { HoldState } from '#domain/entitlements/reservation.ts';
import type { Instant } from '#domain/instant.ts';
import type { EntitlementAnswer } from '#infra/entitlements/check-entitlements.ts';
import type { Reservation } from '#infra/entitlements/reservation.ts';
import { quantityOutput, timeOutput } from '../http/schemas.ts';

const REASONS = [
  'within_limit',
  'no_limit',
  'quota_exceeded',
  'over_soft_limit',
  'metered_overage',
  'unknown_feature',
  'archived_feature',
  'unknown_customer',
  'archived_customer',
] as const satisfies readonly Reason[];

const periodDocument = z.object({ from: timeOutput, to: timeOutput });

const limitStateDocument = z
  .object({
    limitKey: z.string(),
    overage: z.enum(OVERAGES),
    allowed: z.boolean(),
    limit: quantityOutput,
    used: quantityOutput.nullable(),
    reserved: quantityOutput,
    remaining: quantityOutput,
    period: periodDocument,
    resetsAt: timeOutput.nullable(),
  })
  .meta({ id: 'LimitState' });

/** The fields that a refused reservation carries too. */
const entitlementFields = {
  feature: z.string(),
  kind: z.enum(['boolean', 'metered']),
  allowed: z.boolean(),
  limit: quantityOutput.nullable(),
  used: quantityOutput.nullable(),
  reserved: quantityOutput.nullable(),
  remaining: quantityOutput.nullable(),
  period: periodDocument.nullable(),
  overage: z.enum(OVERAGES).nullable(),
  limitKey: z.string().nullable().meta({ description: 'The tightest limit: the one that decides' }),
  limits: z.array(limitStateDocument),
  resetsAt: timeOutput.nullable().meta({ description: 'When usage goes down again by itself' }),
  reason: z.enum(REASONS),
};

export const entitlementDocument = z
  .object({
    customer: z.string(),
    ...entitlementFields,
    asOf: timeOutput.nullable().meta({
      description: 'Everything published before is counted; null while no pipeline has reported',
    }),
    completeThrough: timeOutput.nullable(),
  })
  .meta({ id: 'Entitlement' });

export const reservationDocument = z
  .object({
    id: z.string().meta({ description: 'The identity of the event, in hex' }),
    customer: z.string(),
    feature: z.string(),
    amount: quantityOutput,
    held: quantityOutput,
    state: z.enum([
      'open',
      'pending',
      'settled',
      'released',
      'lapsed',
    ] as const satisfies readonly HoldState[]),
    expiresAt: timeOutput,
    grantedAt: timeOutput,
  })
  .meta({ id: 'Reservation' });

/** Answers name few moments again and again: where periods begin and end, and how far usage is complete. Beyond it all are forgotten. */
const TEXTS_KEPT_MAX = 256;
const texts = new Map<Instant, string>();

function textOf(at: Instant): string {
  const known = texts.get(at);
  if (known !== undefined) return known;
  const text = formatInstant(at);
  if (texts.size >= TEXTS_KEPT_MAX) texts.clear();
  texts.set(at, text);
  return text;
}

const time = (at: Instant | null): string | null => (at === null ? null : textOf(at));
const period = ({ from, to }: TimeWindow) => ({ from: textOf(from), to: textOf(to) });

const toLimitState = (of: LimitAnswer) => ({
  ...of,
  period: period(of.period),
  resetsAt: time(of.resetsAt),
});

export const toEntitlementFields = (of: Entitlement) => ({
  ...of,
  period: of.period === null ? null : period(of.period),
  resetsAt: time(of.resetsAt),
  limits: of.limits.map(toLimitState),
});

export const toEntitlementDocument = (of: EntitlementAnswer) => ({
  ...toEntitlementFields(of),
  customer: of.customer,
  asOf: time(of.asOf),
  completeThrough: time(of.completeThrough),
});

export const toReservationDocument = (of: Reservation) => ({
  ...of,
  expiresAt: formatInstant(of.expiresAt),
  grantedAt: formatInstant(of.grantedAt),
});
