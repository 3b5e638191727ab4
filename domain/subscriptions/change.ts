import type { AnchorChoice } from '../calendar/anchor.ts';
import type { Instant } from '../instant.ts';
import type { PlanVersionRef } from './plan-versions.ts';
import type { ChargeOverride } from './subscription.ts';
import type { EntryChanges } from './terms-delta.ts';

/** `periodEnd`: of the billing period that now lies in (`periodEndAt`). Of one that has not started, now is its start. */
export type ChangeMoment = 'now' | 'periodEnd' | Instant;

export const PHASES_ON_CHANGE = ['continue', 'restart'] as const;

/** What a subscription is to from a moment on; what is not named stays. */
export interface TermsChange {
  readonly kind: 'change';
  readonly at: ChangeMoment;
  readonly to?: PlanVersionRef;
  /** Whether the phases of the new version go on being counted, or begin. Where nothing is said they go on within a family. */
  readonly phases?: (typeof PHASES_ON_CHANGE)[number];
  readonly anchor?: AnchorChoice;
  readonly quantities?: EntryChanges<string>;
  readonly overrides?: EntryChanges<ChargeOverride>;
  readonly addOns?: EntryChanges<string>;
}

/** `undo`: what was to change at a moment ahead does not. */
export type SubscriptionChange =
  | TermsChange
  | { readonly kind: 'cancel'; readonly at: ChangeMoment }
  | { readonly kind: 'uncancel' }
  | { readonly kind: 'pause'; readonly at: ChangeMoment; readonly until?: Instant }
  | { readonly kind: 'resume'; readonly at: ChangeMoment }
  | { readonly kind: 'undo'; readonly from: Instant };
