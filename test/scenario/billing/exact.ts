/** Quotients of whole numbers: what the scenarios' own arithmetic is done in, so that it shares none with the code under test. */
export interface Exact {
  readonly top: bigint;
  /** Above 0. */
  readonly bottom: bigint;
}

export const exact = (top: bigint | number, bottom: bigint | number = 1n): Exact => ({
  top: BigInt(top),
  bottom: BigInt(bottom),
});

export const NOTHING = exact(0n);

/** Of plain decimal text. */
export function parse(text: string): Exact {
  const [whole = '', decimals = ''] = text.split('.');
  return { top: BigInt(whole + decimals), bottom: 10n ** BigInt(decimals.length) };
}

export const plus = (a: Exact, b: Exact): Exact => ({
  top: a.top * b.bottom + b.top * a.bottom,
  bottom: a.bottom * b.bottom,
});
export const minus = (a: Exact, b: Exact): Exact => plus(a, { top: -b.top, bottom: b.bottom });
export const times = (a: Exact, b: Exact): Exact => ({ top: a.top * b.top, bottom: a.bottom * b.bottom });
export const isMore = (a: Exact, b: Exact): boolean => a.top * b.bottom > b.top * a.bottom;
export const isEqual = (a: Exact, b: Exact): boolean => a.top * b.bottom === b.top * a.bottom;
export const greater = (a: Exact, b: Exact): Exact => (isMore(a, b) ? a : b);
export const lesser = (a: Exact, b: Exact): Exact => (isMore(a, b) ? b : a);
export const sum = (all: readonly Exact[]): Exact => all.reduce(plus, NOTHING);

/** How many blocks of this size a quantity has begun. */
export function blocks(quantity: Exact, size: Exact): Exact {
  const [top, bottom] = [quantity.top * size.bottom, quantity.bottom * size.top];
  return exact((top + bottom - 1n) / bottom);
}

/** To so many decimals, half away from zero. */
export function rounded({ top, bottom }: Exact, decimals: number): Exact {
  const scale = 10n ** BigInt(decimals);
  const size = top < 0n ? -top : top;
  const units = (2n * size * scale + bottom) / (2n * bottom);
  return { top: top < 0n ? -units : units, bottom: scale };
}

/** Of what ends: with its decimals, and no more of them than it needs. */
export function text(value: Exact): string {
  const decimals = 30;
  const { top } = rounded(value, decimals);
  const digits = String(top < 0n ? -top : top).padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return `${top < 0n ? '-' : ''}${digits.slice(0, -decimals)}${fraction === '' ? '' : `.${fraction}`}`;
}
