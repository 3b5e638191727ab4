/** The four 32-bit limbs of a 128-bit hash, the highest first. */
export const LIMBS = ['limb_0', 'limb_1', 'limb_2', 'limb_3'] as const;

const LIMB_HEX_DIGITS = 8;

/**
 * The sums of each limb of a column of hex digits. A limb is below 2^32, so an INT64 holds the sum of 2^31 of them. The hashes themselves
 * could not be summed: already two may pass the largest number of BigQuery.
 */
export const limbSums = (column: string): string =>
  LIMBS.map(
    (limb, index) =>
      `SUM(CAST(CONCAT('0x', SUBSTR(${column}, ${1 + index * LIMB_HEX_DIGITS}, ${LIMB_HEX_DIGITS})) AS INT64)) AS ${limb}`,
  ).join(', ');
