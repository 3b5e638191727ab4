/** A value at a time, in whatever units. */
export type Point = readonly [at: number, value: number];

/**
 * By how much the values rise in a unit of time: the median of the slopes between any two points, which single outliers do not move. NaN where
 * there are no two times.
 */
export function slopeOf(points: readonly Point[]): number {
  const slopes = points
    .flatMap(([at, value], index) =>
      points
        .slice(index + 1)
        .flatMap(([later, then]) => (later === at ? [] : [(then - value) / (later - at)])),
    )
    .sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  const upper = slopes[middle] ?? NaN;
  return slopes.length % 2 === 1 ? upper : ((slopes[middle - 1] ?? NaN) + upper) / 2;
}
