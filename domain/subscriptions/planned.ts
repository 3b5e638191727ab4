import type { Violation } from '../violation.ts';
import type { Effect } from './effect.ts';
import type { Subscription } from './subscription.ts';

/** A subscription as it is after a change, and what the change does. Nothing is done yet: it is a plan. */
export interface PlannedChange {
  readonly subscription: Subscription;
  readonly effects: readonly Effect[];
}

/** Or why it cannot be, everything at once. */
export type Planned = PlannedChange | { readonly faults: readonly Violation[] };
