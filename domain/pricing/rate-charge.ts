import { priceLines } from './price-lines.ts';
import type { PreparedCharge } from './prepared-charge.ts';
import { endsPeriod, settle, type Settled } from './settle.ts';
import type { RateRequest, Reached } from './usage.ts';

export interface RatedCharge extends Settled {
  readonly reached: Reached;
}

/**
 * Rates one charge for a period, or for a part of one: lines that sum to the amount, rounded half away from zero to `decimals`, with the
 * working of each. Before a last segment a minimum is not due, and a volume price is not due at all.
 *
 * Throws `PricingError` (`usage_not_ratable`) when the usage is not of the kind that the price needs.
 */
export function rateCharge(charge: PreparedCharge, request: RateRequest): RatedCharge {
  const due = missedDue(charge, request);
  const priced = priceLines(charge, request);
  const { reached } = priced;
  if (due === undefined) return { ...settle(charge, request, priced), reached };
  const { working, ...settled } = settle(charge, request, { ...priced, lines: [] });
  return { ...settled, working: [{ stage: 'notDue', due }, ...working], reached };
}

/** With which segment the price is due, when it is another. */
function missedDue({ model, inAdvance }: PreparedCharge, request: RateRequest): 'first' | 'last' | undefined {
  const { segment = 'full', mode } = request;
  if (model.due === 'each' || segment === 'full') return undefined;
  if (model.due === 'once' && inAdvance)
    return mode === 'cumulative' || segment === 'first' ? undefined : 'first';
  if (model.due === 'last' && mode === 'cumulative') return undefined;
  return endsPeriod(request) ? undefined : 'last';
}
