/** Sums as they are written by hand, computed exactly with whole numbers alone: nothing of what they check is used. */

interface Quotient {
  readonly over: bigint;
  readonly under: bigint;
}

export interface WrittenSum {
  readonly label: string;
  /** What the terms come to, rounded to so many decimals half away from zero, in minor units. */
  readonly computed: bigint;
  /** What is written after the last `=`, in minor units. */
  readonly written: bigint;
}

/**
 * Reads `label: 1,000 × (0.5 + 0.25) ÷ 3 − 1 = 249.00`. Products and quotients come before sums and differences, and digits may be parted by commas.
 * A sum may go on: `2 × 3 = 6 = 6` has the same value at each sign. Throws `SyntaxError`.
 */
export function readSum(text: string, decimals: number): WrittenSum {
  const [, label, sum] = /^(.*?): (.*)$/.exec(text) ?? [];
  const [terms, ...results] = (sum ?? '').split(' = ');
  const written = results.at(-1);
  if (label === undefined || terms === undefined || written === undefined)
    throw new SyntaxError(`not a sum with a label: ${text}`);
  const computed = rounded(compute(terms), decimals);
  for (const each of results)
    if (rounded(compute(each), decimals) !== computed) throw new SyntaxError(`a wrong sum: ${text}`);
  return { label, computed, written: rounded(compute(written), decimals) };
}

/** An amount in minor units. Throws `SyntaxError` where it has more decimals than they. */
export function minorUnits(text: string, decimals: number): bigint {
  const { over, under } = read(text);
  const scaled = over * 10n ** BigInt(decimals);
  if (scaled % under !== 0n) throw new SyntaxError(`${text} has more than ${decimals} decimals`);
  return scaled / under;
}

function rounded({ over, under }: Quotient, decimals: number): bigint {
  const scaled = over * 10n ** BigInt(decimals) * 2n;
  const size = (scaled < 0n ? -scaled : scaled) + under;
  const whole = size / (under * 2n);
  return scaled < 0n ? -whole : whole;
}

function compute(text: string): Quotient {
  const tokens = text.match(/[\d.,]+|[-+−×÷()]/g) ?? [];
  if (tokens.join('') !== text.replaceAll(' ', '')) throw new SyntaxError(`not a sum: ${text}`);
  let at = 0;
  const value = (): Quotient => {
    const token = tokens[at++];
    if (token === '−' || token === '-') return negative(value());
    if (token !== '(') return read(token ?? '');
    const inner = terms();
    if (tokens[at++] !== ')') throw new SyntaxError(`a bracket is open: ${text}`);
    return inner;
  };
  const product = (): Quotient => {
    let all = value();
    for (;;) {
      if (tokens[at] === '×') (at++, (all = times(all, value())));
      else if (tokens[at] === '÷') (at++, (all = times(all, inverse(value()))));
      else return all;
    }
  };
  const terms = (): Quotient => {
    let all = product();
    for (;;) {
      if (tokens[at] === '+') (at++, (all = plus(all, product())));
      else if (tokens[at] === '−') (at++, (all = plus(all, negative(product()))));
      else return all;
    }
  };
  const all = terms();
  if (at !== tokens.length) throw new SyntaxError(`not a sum: ${text}`);
  return all;
}

function read(text: string): Quotient {
  const number = text.replaceAll(',', '');
  if (!/^-?\d+(?:\.\d+)?$/.test(number)) throw new SyntaxError(`not a number: ${text}`);
  const [whole = '', part = ''] = number.split('.');
  return { over: BigInt(whole + part), under: 10n ** BigInt(part.length) };
}

const times = (a: Quotient, b: Quotient): Quotient => ({ over: a.over * b.over, under: a.under * b.under });
const plus = (a: Quotient, b: Quotient): Quotient => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
});
const negative = ({ over, under }: Quotient): Quotient => ({ over: -over, under });
const inverse = ({ over, under }: Quotient): Quotient =>
  over < 0n ? { over: -under, under: -over } : { over: under, under: over };
