import type { Phase, PlanBound, PlanCharge, PlanMinimum, PlanVersion } from './plan-version.ts';
import { ONCE, type PlanVersionDefinition } from './plan-version.ts';

/** Under which plans sell the same thing. */
export const familyOf = ({ plan, family }: Pick<PlanVersion, 'plan' | 'family'>): string => family ?? plan;

export interface PlanBounds {
  readonly minimum: PlanMinimum | null;
  readonly maximum: PlanBound | null;
}

/** What a subscription pays at least and at most in a phase. A phase in which no minimum is due has one of 0. */
export const boundsIn = (
  version: Pick<PlanVersionDefinition, 'minimum' | 'maximum'>,
  phase: Pick<Phase, 'minimum' | 'maximum'>,
): PlanBounds => ({
  minimum: phase.minimum ?? version.minimum ?? null,
  maximum: phase.maximum ?? version.maximum ?? null,
});

/** A charge with its place in a version: a JSON pointer, and the phase or add-on that it is of. */
export interface PlacedCharge {
  readonly pointer: string;
  readonly charge: PlanCharge;
  readonly phase: string | null;
  readonly addOn: string | null;
}

/** Every charge of a version, those of its phases first. One key may come once in each phase. */
export const chargesOf = ({
  phases,
  addOns,
}: Pick<PlanVersionDefinition, 'phases' | 'addOns'>): PlacedCharge[] => [
  ...phases.flatMap((phase, at) =>
    phase.charges.map((charge, index) => ({
      pointer: `/phases/${at}/charges/${index}`,
      charge,
      phase: phase.key,
      addOn: null,
    })),
  ),
  ...(addOns ?? []).flatMap((addOn, at) =>
    addOn.charges.map((charge, index) => ({
      pointer: `/addOns/${at}/charges/${index}`,
      charge,
      phase: null,
      addOn: addOn.key,
    })),
  ),
];

/** What a charge asks money for: its usage, a fee of each period, or a fee of once. */
export type ChargeKind = 'usage' | 'fee' | 'once';

export function chargeKind({ meter, cadence }: Pick<PlanCharge, 'meter' | 'cadence'>): ChargeKind {
  if (meter != null) return 'usage';
  return cadence === ONCE ? 'once' : 'fee';
}

/** How often charges and bounds are due that do not say it. */
export const DEFAULT_CADENCE = 'P1M';
export const cadenceOf = ({ cadence }: { readonly cadence?: string | null }): string =>
  cadence ?? DEFAULT_CADENCE;
