/** An exact number as a fraction of two whole ones: school arithmetic, which shares nothing with what it is there to check. */
export interface Ratio {
  readonly over: bigint;
  /** Above 0. */
  readonly under: bigint;
}

export const NOTHING: Ratio = { over: 0n, under: 1n };

/** Reads plain decimal text: `12.5` is 125 over 10. */
export function ratioOf(text: string): Ratio {
  const [whole = '0', decimals = ''] = text.split('.');
  return { over: BigInt(whole + decimals), under: 10n ** BigInt(decimals.length) };
}

export const plus = (a: Ratio, b: Ratio): Ratio => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
});

export const minus = (a: Ratio, b: Ratio): Ratio => plus(a, { over: -b.over, under: b.under });

export const times = (a: Ratio, b: Ratio): Ratio => ({ over: a.over * b.over, under: a.under * b.under });

/** Of a divisor above 0. */
export const dividedBy = (a: Ratio, b: Ratio): Ratio => times(a, { over: b.under, under: b.over });

export const isLess = (a: Ratio, b: Ratio): boolean => a.over * b.under < b.over * a.under;

export const isSame = (a: Ratio, b: Ratio): boolean => a.over * b.under === b.over * a.under;

export const least = (a: Ratio, b: Ratio): Ratio => (isLess(b, a) ? b : a);

export const atLeastNothing = (a: Ratio): Ratio => (a.over < 0n ? NOTHING : a);

/** The whole number at or above one that is not below 0. */
export const wholeUp = ({ over, under }: Ratio): Ratio => ({ over: (over + under - 1n) / under, under: 1n });

/** In units of so many decimals, half of one away from 0: 1.005 at 2 decimals is 101. */
export function inMinorUnits({ over, under }: Ratio, decimals: number): bigint {
  const scaled = over * 10n ** BigInt(decimals);
  const size = scaled < 0n ? -scaled : scaled;
  const rounded = (2n * size + under) / (2n * under);
  return scaled < 0n ? -rounded : rounded;
}

export const fromMinorUnits = (units: bigint, decimals: number): Ratio => ({
  over: units,
  under: 10n ** BigInt(decimals),
});

/** Minor units as an amount is written: 1903 at 2 decimals is `19.03`. */
export function amountText(units: bigint, decimals: number): string {
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, '0');
  const at = digits.length - decimals;
  return `${units < 0n ? '-' : ''}${digits.slice(0, at)}${decimals === 0 ? '' : `.${digits.slice(at)}`}`;
}
