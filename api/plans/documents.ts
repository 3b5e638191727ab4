import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import {
  ADD_ONS_PER_PLAN_VERSION_MAX,
  CHARGES_PER_PLAN_VERSION_MAX,
  CURRENCIES_PER_PLAN_MAX,
  PHASES_PER_PLAN_VERSION_MAX,
  TAX_RATES_PER_LINE_MAX,
} from '#domain/limits.ts';
import { NOTICE_CODES } from '#domain/plans/compatibility.ts';
import { PLAN_VERSION_STATES } from '#domain/plans/plan-version.ts';
import { chargesOf } from '#domain/plans/plan-parts.ts';
import type { Plan, PlanVersionRow } from '#infra/plans/read-plans.ts';
import { keyInput, recordInput, timeOutput } from '../http/schemas.ts';
import { billedChargeInput, decimalInput, upTo } from '../rating/charge-input.ts';
import { taxRateInput } from '../rating/tax-rate-input.ts';

const TEXT_MAX = 256;
const DURATION_TEXT_MAX = 64;

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().exactOptional();
const nameText = optional(z.string().max(TEXT_MAX));
const durationText = (example: string) => optional(z.string().max(DURATION_TEXT_MAX).meta({ example }));
const { price, rates, discount, maximum, minimum } = billedChargeInput.shape;

const planChargeInput = z
  .strictObject({
    ...billedChargeInput.shape,
    cadence: optional(
      z.string().max(DURATION_TEXT_MAX).meta({
        description:
          'An ISO 8601 duration, `P1M` where nothing is said; `once` for a fee that is due a single time',
        example: 'P1M',
      }),
    ),
    seats: optional(
      decimalInput.meta({
        description: 'How many a fee is for where a subscription says nothing; 1 if left out',
      }),
    ),
    inCurrency: optional(
      recordInput(z.strictObject({ price, rates, discount, maximum, minimum })).meta({
        description: "The charge's money in the plan's other currencies, by their codes",
      }),
    ),
    taxRates: optional(
      upTo(taxRateInput, TAX_RATES_PER_LINE_MAX).meta({
        description: "In place of the customer's; an empty list: no tax",
      }),
    ),
  })
  .meta({ id: 'PlanCharge' });

const amounts = recordInput(decimalInput).meta({
  description: 'By currency, one for each that the plan is sold in',
  example: { USD: '100' },
});
const boundFields = { amount: amounts, cadence: durationText('P1M') };
const maximumInput = z.strictObject(boundFields).meta({ id: 'PlanMaximum' });
const minimumInput = z
  .strictObject({
    ...boundFields,
    overageFactor: optional(
      decimalInput.meta({
        description: 'What goes beyond the minimum costs so many times its price',
        example: '1.5',
      }),
    ),
  })
  .meta({ id: 'PlanMinimum' });
const bounds = { minimum: optional(minimumInput), maximum: optional(maximumInput) };
const charges = upTo(planChargeInput, CHARGES_PER_PLAN_VERSION_MAX);

const phaseInput = z
  .strictObject({
    key: keyInput.meta({ example: 'standard' }),
    name: nameText,
    duration: durationText('P14D').meta({
      description: 'From the end of the phase before; the last phase has none',
    }),
    charges,
    ...bounds,
  })
  .meta({ id: 'PlanPhase' });

const addOnInput = z.strictObject({ key: keyInput, name: nameText, charges }).meta({ id: 'PlanAddOn' });

const versionFields = {
  currencies: upTo(z.string().max(8), CURRENCIES_PER_PLAN_MAX).meta({
    description: 'ISO 4217; charges are written in the first',
    example: ['USD'],
  }),
  phases: upTo(phaseInput, PHASES_PER_PLAN_VERSION_MAX),
  addOns: optional(upTo(addOnInput, ADD_ONS_PER_PLAN_VERSION_MAX)),
  ...bounds,
  family: optional(keyInput).meta({
    description:
      "Plans of one family sell the same thing: after a change between them tiers go on. The plan's key if left out",
  }),
  spendThreshold: optional(amounts).meta({
    description: 'What comes to so much since the last invoice is billed at once. By currency',
  }),
};

/** What a version sells, as a caller gives it. */
export const versionInput = z.strictObject(versionFields).meta({
  id: 'PlanVersionInput',
  example: {
    currencies: ['USD'],
    phases: [
      { key: 'trial', duration: 'P14D', charges: [] },
      {
        key: 'standard',
        charges: [
          { key: 'base', name: 'Base fee', timing: 'inAdvance', price: { model: 'flat', amount: '20' } },
          { key: 'tokens', meter: 'tokens', price: { model: 'perUnit', unitPrice: '0.000002' } },
        ],
      },
    ],
  },
});

const stateOutput = z.enum(PLAN_VERSION_STATES).meta({
  description:
    '`draft`: may change. `active`: can be subscribed to, and never changes. `archived`: what is subscribed goes on.',
});
const aboutVersion = {
  plan: z.string(),
  version: z.int().meta({ description: 'From 1' }),
  state: stateOutput,
  createdAt: timeOutput,
  updatedAt: timeOutput.meta({ description: 'When the draft was last written' }),
  publishedAt: timeOutput.nullable(),
  archivedAt: timeOutput.nullable(),
};

export const versionDocument = z.object({ ...aboutVersion, ...versionFields }).meta({ id: 'PlanVersion' });

/** What a list shows: not what everything costs. */
export const versionSummary = z
  .object({ ...aboutVersion, currencies: z.array(z.string()), phases: z.array(z.string()), charges: z.int() })
  .meta({ id: 'PlanVersionSummary' });

export const planInput = z
  .strictObject({ name: z.string() })
  .meta({ id: 'PlanInput', example: { name: 'Pro' } });

export const planDocument = z
  .object({
    key: z.string(),
    name: z.string(),
    newestVersion: z.int().meta({ description: '0 while it has none' }),
    activeVersion: z
      .int()
      .nullable()
      .meta({ description: 'The newest one that can be subscribed to: what those get who name none' }),
    createdAt: timeOutput,
    updatedAt: timeOutput,
    archivedAt: timeOutput.nullable(),
  })
  .meta({ id: 'Plan' });

export const compatibilityDocument = z
  .object({
    compatible: z.boolean(),
    faults: z
      .array(z.object({ pointer: z.string(), code: z.string(), message: z.string() }))
      .meta({ description: 'What forbids the change' }),
    notices: z
      .array(z.object({ code: z.enum(NOTICE_CODES), key: z.string().nullable(), message: z.string() }))
      .meta({ description: 'What the change does; `key` names the charge or add-on' }),
  })
  .meta({ id: 'PlanCompatibility' });

const timeOrNull = (at: Instant | null): string | null => (at === null ? null : formatInstant(at));

export const toPlanDocument = ({
  key,
  name,
  newestVersion,
  activeVersion,
  createdAt,
  updatedAt,
  archivedAt,
}: Plan) => ({
  key,
  name,
  newestVersion,
  activeVersion,
  createdAt: formatInstant(createdAt),
  updatedAt: formatInstant(updatedAt),
  archivedAt: timeOrNull(archivedAt),
});

const aboutVersionOf = (row: PlanVersionRow) => ({
  plan: row.plan,
  version: row.version,
  state: row.state,
  createdAt: formatInstant(row.createdAt),
  updatedAt: formatInstant(row.updatedAt),
  publishedAt: timeOrNull(row.publishedAt),
  archivedAt: timeOrNull(row.archivedAt),
});

export const toVersionDocument = (row: PlanVersionRow) => ({ ...aboutVersionOf(row), ...row.definition });

export const toVersionSummary = (row: PlanVersionRow) => ({
  ...aboutVersionOf(row),
  currencies: row.definition.currencies,
  phases: row.definition.phases.map(({ key }) => key),
  charges: chargesOf(row.definition).length,
});
