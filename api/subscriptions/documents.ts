import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import { INVOICE_LINE_KINDS } from '#domain/invoicing/invoice.ts';
import { Decimal, toDecimalText } from '#domain/money/decimal.ts';
import { periodEndAt } from '#domain/subscriptions/period-end.ts';
import type { PlanVersions } from '#domain/subscriptions/plan-versions.ts';
import { scheduleOf } from '#domain/subscriptions/schedule.ts';
import { subscriptionState } from '#domain/subscriptions/subscription-state.ts';
import { ALIGNMENTS, SUBSCRIPTION_STATES } from '#domain/subscriptions/subscription.ts';
import { termsAt } from '#domain/subscriptions/timeline.ts';
import type { ChangedInvoice } from '#infra/invoicing/preview-change.ts';
import type { Migrated } from '#infra/subscriptions/migrate-subscriptions.ts';
import type { StoredSubscription } from '#infra/subscriptions/read-subscriptions.ts';
import type { Frozen } from '../http/answer.ts';
import { quantityOutput, timeOutput } from '../http/schemas.ts';
import { anchorOutput, toAnchorDocument } from '../rating/anchor-input.ts';
import { effectDocument, eventDocument, toEventDocument } from './effect-document.ts';
import { overrideInput } from './inputs.ts';

const timeOrNull = (at: Instant | null | undefined): string | null =>
  at == null || !Number.isSafeInteger(at) ? null : formatInstant(at);

export const subscriptionDocument = z
  .object({
    id: z.uuid(),
    customer: z.string(),
    state: z.enum(SUBSCRIPTION_STATES),
    phase: z
      .string()
      .nullable()
      .meta({ description: 'The phase of the plan; null before the start and after the end' }),
    plan: z
      .string()
      .meta({ description: 'As of now; before the start as it will begin, after the end as it was' }),
    version: z.int(),
    currency: z.string(),
    timezone: z.string(),
    alignment: z.enum(ALIGNMENTS),
    anchor: anchorOutput,
    seller: z.string(),
    startAt: timeOutput,
    endAt: timeOutput.nullable(),
    periodEndsAt: timeOutput.nullable().meta({
      description:
        'When the longest billing period that runs now is over: `periodEnd` of a change. Null before the start, after the end, and beyond the year 2255',
    }),
    quantities: z.record(z.string(), quantityOutput),
    overrides: z.record(z.string(), overrideInput),
    addOns: z.record(z.string(), quantityOutput),
    spendThreshold: quantityOutput.nullable(),
    metadata: z.record(z.string(), z.string()),
    createdAt: timeOutput,
    updatedAt: timeOutput,
  })
  .meta({ id: 'Subscription' });

export interface Reading {
  readonly versions: PlanVersions;
  readonly now: Instant;
}

/** A subscription as of now. */
export function toSubscriptionDocument(
  stored: StoredSubscription,
  { versions, now }: Reading,
): Frozen<z.input<typeof subscriptionDocument>> {
  const { id, customer, currency, timezone, alignment, seller, spendThreshold, metadata } = stored;
  const { plan, version, anchor, quantities, overrides, addOns } = termsAt(stored.terms, now);
  return {
    id,
    customer,
    ...subscriptionState(stored, versions, now),
    plan,
    version,
    currency,
    timezone,
    alignment,
    anchor: toAnchorDocument(anchor),
    seller,
    startAt: formatInstant(stored.startAt),
    endAt: timeOrNull(stored.endAt),
    periodEndsAt: timeOrNull(periodEndAt(stored, versions, now)),
    quantities,
    overrides,
    addOns,
    spendThreshold,
    metadata,
    createdAt: formatInstant(stored.createdAt),
    updatedAt: formatInstant(stored.updatedAt),
  };
}

export const scheduleDocument = z
  .object({
    items: z.array(
      z.object({
        from: timeOutput,
        events: z.array(eventDocument),
        undoable: z
          .boolean()
          .meta({ description: 'Whether a change planned it: what a phase brings comes by itself' }),
      }),
    ),
  })
  .meta({ id: 'SubscriptionSchedule' });

export const toScheduleDocument = (
  stored: StoredSubscription,
  { versions, now }: Reading,
): Frozen<z.input<typeof scheduleDocument>> => ({
  items: scheduleOf(stored, versions, now).map(({ from, events, undoable }) => ({
    from: formatInstant(from),
    events: events.map(toEventDocument),
    undoable,
  })),
});

const totalsOutput = z.object({ net: z.string(), tax: z.string(), total: z.string() });

const changedInvoiceDocument = z
  .object({
    date: timeOutput.meta({ description: 'When it is due' }),
    currency: z.string(),
    seller: z.string(),
    before: totalsOutput.nullable().meta({ description: 'Without the change; null: there would be none' }),
    after: totalsOutput.nullable().meta({ description: 'With the change; null: there would be none' }),
    change: z.string().meta({ description: 'What the change adds to the total' }),
    lines: z
      .array(
        z.object({
          kind: z.enum(INVOICE_LINE_KINDS),
          subscription: z.string().nullable(),
          charge: z.string().nullable(),
          description: z.string(),
          period: z.object({ from: timeOutput, to: timeOutput }),
          quantity: z.string().nullable(),
          unitPrice: z.string().nullable(),
          amount: z.string(),
        }),
      )
      .meta({ description: 'With the change' }),
  })
  .meta({ id: 'ChangedInvoice' });

export const changeDocument = z
  .object({
    subscription: subscriptionDocument,
    effects: z.array(effectDocument).meta({ description: 'What happens when' }),
    invoices: z
      .array(changedInvoiceDocument)
      .nullable()
      .meta({
        description:
          'What it costs: the next invoices of who pays, as far as the change makes them others, with usage as it is by now. ' +
          'Null where that cannot be told',
      }),
  })
  .meta({ id: 'SubscriptionChanged' });

export function toChangedInvoice({
  before,
  after,
}: ChangedInvoice): Frozen<z.input<typeof changedInvoiceDocument>> {
  const either = after ?? before;
  if (either === null) throw new Error('an invoice that is neither before nor after a change');
  return {
    date: formatInstant(either.date),
    currency: either.currency,
    seller: either.seller.key,
    before: totalsOf(before),
    after: totalsOf(after),
    change: toDecimalText(new Decimal(after?.totals.total ?? 0).minus(before?.totals.total ?? 0)),
    lines: (after?.lines ?? []).map((line) => ({
      kind: line.kind,
      subscription: line.subscription,
      charge: line.charge,
      description: line.description,
      period: { from: formatInstant(line.period.from), to: formatInstant(line.period.to) },
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      amount: line.amount,
    })),
  };
}

function totalsOf(content: InvoiceContent | null): Frozen<z.input<typeof totalsOutput>> | null {
  if (content === null) return null;
  const { net, tax, total } = content.totals;
  return { net, tax, total };
}

export const migrationDocument = z
  .object({
    moved: z.int(),
    passedOver: z.int().meta({
      description:
        'Those that are not on the version at that time: they have ended, go elsewhere, or are moved already',
    }),
    faults: z
      .array(
        z.object({
          subscription: z.uuid(),
          customer: z.string(),
          violations: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })),
        }),
      )
      .meta({ description: 'Those that cannot be moved, and why; they stay as they are' }),
    recurringRevenue: z
      .array(z.object({ currency: z.string(), before: z.string(), after: z.string(), change: z.string() }))
      .meta({
        description: 'What the fees of those that are moved come to in a month at that time, without usage',
      }),
    nextCursor: z.uuid().nullable().meta({ description: 'Null: all have been looked at' }),
  })
  .meta({ id: 'MigrationResult' });

export const toMigrationDocument = ({
  revenue,
  next,
  ...counts
}: Migrated): Frozen<z.input<typeof migrationDocument>> => ({
  ...counts,
  recurringRevenue: revenue,
  nextCursor: next,
});
