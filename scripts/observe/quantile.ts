/**
 * A quantile from buckets, taken as even inside a bucket, as Prometheus does; of the open last bucket its lower bound. Undefined where
 * nothing was counted.
 */
export function bucketQuantile(
  quantile: number,
  counts: readonly number[],
  bounds: readonly number[],
): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all <= 0) return undefined;
  const rank = quantile * all;
  let before = 0;
  for (const [index, count] of counts.entries()) {
    const lower = bounds[index - 1] ?? 0;
    const upper = bounds[index];
    if (before + count >= rank && count > 0)
      return upper === undefined ? lower : lower + ((upper - lower) * (rank - before)) / count;
    before += count;
  }
  return bounds.at(-1);
}
