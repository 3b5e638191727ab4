import type { Decimal } from '../money/decimal.ts';
import type { Fraction } from '../money/fraction.ts';
import type { Violation } from '../violation.ts';
import type { Price } from './charge.ts';

/** What a price needs to know: how much; how much of each group; or each event. */
export type PriceInput = 'quantity' | 'groups' | 'events';

/** The billable units of a line: those after `from` up to and including `to`, counted from the start of the period. */
export interface Stretch {
  readonly from: Decimal;
  readonly to: Decimal;
  /** Nothing of the period was billed before: what is due even without usage is due now. */
  readonly begins: boolean;
  /** What selects the tier of a volume price, where it is not `to`. */
  readonly tierQuantity: Decimal | undefined;
  /** Whether the flat fee of a volume tier is due with this stretch. */
  readonly feeDue: boolean;
}

/** One step of a price, exact: so many units at a price, or a fee. */
export interface Part {
  readonly kind: 'usage' | 'fixed';
  /** What it is, in a few words. */
  readonly label: string;
  /** From 1 on; undefined where the price has no tiers. */
  readonly tier: number | undefined;
  readonly quantity: Decimal;
  /** Undefined where the amount is no quantity times a price, as where events are bounded one by one. */
  readonly unitPrice: Decimal | undefined;
  readonly amount: Decimal;
}

export interface PricedEvent {
  readonly value: Decimal;
}

/** How far the events of the period had come before. */
export interface EventsBefore {
  readonly count: number;
  readonly value: Decimal;
}

/**
 * A price that is ready to rate: its numbers are read once. `due` says with which part of a period that is billed in parts: with `each`, once
 * with the `first` or last as the charge's timing says (`once`), or with the `last`, which alone knows all usage.
 */
export interface Model {
  readonly model: Price['model'];
  readonly input: PriceInput;
  readonly due: 'each' | 'once' | 'last';
  /** Each unit costs the same whatever came before: a line needs no place in the period. */
  readonly linear: boolean;
  /** Where the curve of amounts bends or jumps, up to a quantity; at most so many. */
  readonly bends: (upTo: Decimal, max: number) => readonly Decimal[];
  readonly rate: (stretch: Stretch, dimensions: Readonly<Record<string, string>>) => readonly Part[];
  /** Of prices that judge each event by itself; where the sum of their values is enough, they are linear. */
  readonly rateEvents?: (events: readonly PricedEvent[], before: EventsBefore) => readonly Part[];
  /** Some of its parts take back what others say: rounded one by one they could come to less than nothing, so they never are. */
  readonly roundedWhole?: boolean;
  /** The same price with its tiers cut to a part of the period; undefined where there are none. */
  readonly prorated?: (fraction: Fraction) => Model;
}

/** What each price model is made of: one file of `models/` each. */
export interface ModelDefinition<P extends Price> {
  /** All that is wrong with the price, at pointers below its own. */
  readonly check: (price: P, pointer: string) => Violation[];
  /** Of a price that `check` finds nothing wrong with. */
  readonly prepare: (price: P) => Model;
}

export const noBends = (): readonly Decimal[] => [];
