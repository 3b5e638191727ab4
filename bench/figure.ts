/** One measured figure; `ratio` compares it with its peer, measured in the same run, and more is better unless the unit says otherwise. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** The median. */
  readonly value: number;
  readonly peer?: string;
  readonly ratio?: number;
  /** Least and greatest of the rounds. */
  readonly spread: readonly [number, number];
}

export function summarise(name: string, unit: string, values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  return { name, unit, value: at(sorted.length >> 1), spread: [at(0), at(sorted.length - 1)] };
}

const format = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2);

export function describeFigure({ name, unit, value, peer, ratio, spread }: Figure): string {
  const range = spread[0] === spread[1] ? '' : `[${format(spread[0])} - ${format(spread[1])}]`;
  const comparison = ratio === undefined ? '' : `${ratio.toFixed(2)} x ${peer ?? ''}`;
  return `${name.padEnd(58)} ${format(value).padStart(11)} ${unit.padEnd(13)} ${range.padEnd(24)} ${comparison}`.trimEnd();
}
