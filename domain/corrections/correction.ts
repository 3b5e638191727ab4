import type { Instant } from '../instant.ts';

/** `void` takes events back, `restore` brings back what is void, `amend` puts another event in the place of each. */
export const CORRECTION_ACTIONS = ['void', 'restore', 'amend'] as const;
export type CorrectionAction = (typeof CORRECTION_ACTIONS)[number];

/** Which events are meant: all that meet every condition. Only the times they happened are required. */
export interface CorrectionFilter {
  /** Of the events' own times, [from, to). */
  readonly from: Instant;
  readonly to: Instant;
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  readonly subjects?: readonly string[] | undefined;
  /** Whose they are: the owner of the subject at the time of the event. */
  readonly customer?: string | undefined;
  /** When they were committed, [committedFrom, committedTo). */
  readonly committedFrom?: Instant | undefined;
  readonly committedTo?: Instant | undefined;
  /** CEL over `data`, `source`, `subject` and `id`, as a meter's filter. */
  readonly where?: string | undefined;
  /** Only what this import brought. */
  readonly import?: string | undefined;
}

/** How an amendment changes each event. What is not named stays, and so does the event's time. */
export interface CorrectionChange {
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  /** A merge patch of `data` (RFC 7396) as JSON text, so that no digit of it is lost. */
  readonly data?: string | undefined;
  readonly multiply?: readonly Factor[] | undefined;
}

/** A number of `data` and what it is multiplied by: exact, or the event is left as it is. */
export interface Factor {
  /** Dotted, as a meter's value. */
  readonly path: string;
  /** A decimal. */
  readonly by: string;
}

export interface CorrectionRequest {
  readonly action: CorrectionAction;
  readonly filter: CorrectionFilter;
  readonly change?: CorrectionChange | undefined;
}
