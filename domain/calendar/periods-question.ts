import type { Instant } from '../instant.ts';
import type { Violation } from '../violation.ts';
import type { AnchorChoice } from './anchor.ts';
import type { Stub, Term } from './billing-period.ts';
import type { Proration, Share } from './proration.ts';
import type { TimeWindow } from './window.ts';

export const LEADING_STUBS = ['aligned', 'countedBack'] as const;
/** What a stub at the start is a part of: the rule's own period (the default), or one counted back from its end (`periodBefore`). */
export type LeadingStub = (typeof LEADING_STUBS)[number];

export interface StubProration extends Proration {
  readonly leadingStub?: LeadingStub | undefined;
}

/** A subscription's term, and how it is cut into periods. */
export interface PeriodsQuestion extends Term {
  readonly anchor: AnchorChoice;
  /** An ISO 8601 duration in whole minutes. */
  readonly cadence: string;
  readonly timezone: string;
  /** Periods that begin at or before it are answered: all that are due in advance by then. */
  readonly until: Instant;
  readonly proration: StubProration;
  /** Decimals of the fractions, rounded half up; the default is 18. */
  readonly scale?: number | undefined;
}

export interface EvaluatedPeriod extends TimeWindow {
  /** What part of a whole period it is, as a decimal. */
  readonly fraction: string;
  /** The fraction in whole numbers, exact. */
  readonly share: Share;
  /** What it is a part of. */
  readonly of: TimeWindow;
  readonly stub: Stub | null;
}

/** Everything that keeps periods from being evaluated, at once. Pointers are into the question. */
export class PeriodsError extends Error {
  readonly code = 'invalid_query';
  override readonly name = 'PeriodsError';
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(
      `the periods cannot be evaluated: ${violations.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}`,
    );
    this.violations = violations;
  }
}
