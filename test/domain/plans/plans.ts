import type { PlanCharge, PlanVersion, PlanVersionDefinition } from '#domain/plans/plan-version.ts';

/** Plans of tests: each with one thing of its own, and nothing wrong with the rest. */

export const seatsCharge: PlanCharge = {
  key: 'seats',
  name: 'Seats',
  timing: 'inAdvance',
  price: { model: 'perUnit', unitPrice: '10' },
};

export const tokensCharge: PlanCharge = {
  key: 'tokens',
  meter: 'tokens',
  price: { model: 'perUnit', unitPrice: '0.000002' },
};

export const definition = (said: Partial<PlanVersionDefinition> = {}): PlanVersionDefinition => ({
  currencies: ['USD'],
  phases: [{ key: 'standard', charges: [seatsCharge, tokensCharge] }],
  ...said,
});

/** A definition of one phase with these charges. */
export const charging = (
  charges: readonly PlanCharge[],
  said: Partial<PlanVersionDefinition> = {},
): PlanVersionDefinition => definition({ phases: [{ key: 'standard', charges }], ...said });

export const planVersion = (said: Partial<PlanVersion> = {}): PlanVersion => ({
  plan: 'pro',
  version: 1,
  state: 'active',
  ...definition(),
  ...said,
});
