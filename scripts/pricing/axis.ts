/** An axis from 0, in even steps of a round number. */
export interface Axis {
  readonly step: number;
  readonly end: number;
}

const ROUND_STEPS = [1, 2, 2.5, 5, 10];

/** The axis of at most so many steps that holds a number above 0. Worked: 150 in 4 steps is 0 to 150 by 50; 25,000 is 0 to 30,000 by 10,000. */
export function axisUpTo(most: number, steps: number): Axis {
  const least = most / steps;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * (ROUND_STEPS.find((round) => round * power >= least) ?? 10);
  return { step, end: step * Math.ceil(most / step) };
}

export const ticksOf = ({ step, end }: Axis): number[] =>
  Array.from({ length: Math.round(end / step) + 1 }, (_, at) => at * step);
