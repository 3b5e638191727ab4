import { floorToMinute, MICROS_PER_HOUR, MICROS_PER_MINUTE, type Instant } from '../instant.ts';
import { ROLLING_STEPS_MAX } from '../limits.ts';
import { createByteReader } from '../metering/byte-reader.ts';
import { createByteWriter } from '../metering/byte-writer.ts';
import { add, type Quantity } from '../metering/quantity.ts';

/** A window that ends now, kept in steps: usage leaves it a step at a time. Whole minutes since the epoch, so that all share them. */
export interface RollingWindow {
  readonly minutes: number;
  readonly stepMinutes: number;
}

/** A step is the window's 300th part, a minute at least: 5 hours go in minutes, 7 days in 34 minutes. */
export const rollingWindow = (minutes: number): RollingWindow => ({
  minutes,
  stepMinutes: Math.ceil(minutes / ROLLING_STEPS_MAX),
});

/** Whole steps since the epoch. */
export type StepIndex = number;

const stepMicros = ({ stepMinutes }: RollingWindow): number => stepMinutes * MICROS_PER_MINUTE;

export const stepOf = (window: RollingWindow, at: Instant): StepIndex => Math.floor(at / stepMicros(window));
export const stepStart = (window: RollingWindow, step: StepIndex): Instant => step * stepMicros(window);

/**
 * The first step that counts at `now`: the one in which the window begins, whole. Usage is so counted up to a step too long and never
 * too short.
 */
export const firstStepAt = (window: RollingWindow, now: Instant): StepIndex =>
  stepOf(window, floorToMinute(now) - window.minutes * MICROS_PER_MINUTE);

/** The moment from which on a step is out of the window. */
export const leavesAt = (window: RollingWindow, step: StepIndex): Instant =>
  stepStart(window, step + 1) + window.minutes * MICROS_PER_MINUTE;

/** Steps are kept for so much longer than the window, since clocks of different machines differ. */
const SLACK_MICROS = MICROS_PER_HOUR;

/**
 * The usage of a rolling window's steps, by generation of the meter. What lies before `floor` was let go and takes no more changes; from
 * `floor` on it is exactly the usage of each step. Sparse: a step without usage is absent.
 */
export interface RollingUsage {
  readonly floor: StepIndex;
  readonly generations: ReadonlyMap<number, ReadonlyMap<StepIndex, Quantity>>;
}

export const emptyRolling = (floor: StepIndex): RollingUsage => ({ floor, generations: new Map() });

/** The lowest step worth keeping at `now`. */
export const floorAt = (window: RollingWindow, now: Instant): StepIndex =>
  Math.max(0, firstStepAt(window, now - SLACK_MICROS));

/** A change of one step's usage. */
export interface StepChange {
  readonly generation: number;
  readonly step: StepIndex;
  readonly quantity: Quantity;
}

/** The usage with the changes added; steps before the floor, which never falls, are let go. */
export function changeRolling(
  usage: RollingUsage,
  changes: readonly StepChange[],
  floor: StepIndex,
): RollingUsage {
  const from = Math.max(usage.floor, floor);
  const generations = new Map<number, Map<StepIndex, Quantity>>();
  const put = (generation: number, step: StepIndex, quantity: Quantity): void => {
    if (step < from) return;
    const steps = generations.get(generation) ?? new Map<StepIndex, Quantity>();
    generations.set(generation, steps);
    const sum = add(steps.get(step) ?? 0, quantity);
    if (sum === 0) steps.delete(step);
    else steps.set(step, sum);
  };
  for (const [generation, steps] of usage.generations)
    for (const [step, quantity] of steps) put(generation, step, quantity);
  for (const { generation, step, quantity } of changes) put(generation, step, quantity);
  return { floor: from, generations };
}

/** What counts at `now`: everything from the window's first step on, events of the near future too. */
export function usedInWindow({ generations }: RollingUsage, generation: number, first: StepIndex): Quantity {
  let used: Quantity = 0;
  for (const [step, quantity] of generations.get(generation) ?? [])
    if (step >= first) used = add(used, quantity);
  return used;
}

/** The steps that count, oldest first. */
export const stepsFrom = (
  { generations }: RollingUsage,
  generation: number,
  first: StepIndex,
): (readonly [StepIndex, Quantity])[] =>
  [...(generations.get(generation) ?? [])].filter(([step]) => step >= first).sort(([a], [b]) => a - b);

const writer = createByteWriter();

/** Generations and steps in rising order, so that equal usage has equal bytes; a step is written as its distance to the one before. */
export function packRolling({ floor, generations }: RollingUsage): Uint8Array {
  writer.varint(floor);
  for (const [generation, steps] of [...generations].sort(([a], [b]) => a - b)) {
    if (steps.size === 0) continue;
    writer.varint(generation);
    writer.varint(steps.size);
    let last = floor;
    for (const [step, quantity] of [...steps].sort(([a], [b]) => a - b)) {
      writer.varint(step - last);
      writer.quantity(quantity);
      last = step;
    }
  }
  return writer.take();
}

export function unpackRolling(packed: Uint8Array): RollingUsage {
  const reader = createByteReader(packed);
  const floor = reader.varint();
  const generations = new Map<number, ReadonlyMap<StepIndex, Quantity>>();
  while (!reader.atEnd) {
    const generation = reader.varint();
    const steps = new Map<StepIndex, Quantity>();
    let step = floor;
    for (let left = reader.varint(); left > 0; left--) {
      step += reader.varint();
      steps.set(step, reader.quantity());
    }
    generations.set(generation, steps);
  }
  return { floor, generations };
}
