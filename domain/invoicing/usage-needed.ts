import type { Charge, Price } from '../pricing/charge.ts';
import { preparePrice } from '../pricing/models.ts';

/**
 * What has to be known of usage before a charge can be rated: nothing of a fee; one quantity; how much each group used, by these dimensions or
 * by all that the meter has; or each event by itself.
 */
export type UsageNeeded =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'quantity' }
  | { readonly kind: 'groups'; readonly dimensions: readonly string[] | 'all' }
  | { readonly kind: 'events' };

/**
 * Which kind of usage a charge needs at a price: its own, or one that holds from a day on. `tiersOver: "line"` is what asks for a line of
 * each group where a price is not of groups anyway; where nothing is said, one line has all usage. The price is a checked one.
 */
export function usageNeeded(charge: Charge, price: Price = charge.price): UsageNeeded {
  if (price.model === 'flat') return { kind: 'nothing' };
  if (price.model === 'matrix') return { kind: 'groups', dimensions: price.dimensions };
  if (preparePrice(price).input === 'events') return { kind: 'events' };
  return charge.tiersOver === 'line' ? { kind: 'groups', dimensions: 'all' } : { kind: 'quantity' };
}
