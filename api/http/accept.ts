import { Problem } from './problem.ts';

/** Chooses, of what a call can answer, what the `Accept` header likes best; of equals the first. Throws the problem `not_acceptable`. */
export function chooseMediaType<const Offered extends string>(
  accept: string | undefined,
  offered: readonly [Offered, ...Offered[]],
): Offered {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = accept.split(',').map(readRange);
  let best: { readonly type: Offered; readonly quality: number } | undefined;
  for (const type of offered) {
    const quality = qualityOf(ranges, type);
    if (quality > (best?.quality ?? 0)) best = { type, quality };
  }
  if (best === undefined) throw new Problem('not_acceptable', `this call answers ${offered.join(' or ')}`);
  return best.type;
}

interface MediaRange {
  // `text/csv`, or with a star for the subtype, or for both.
  readonly range: string;
  readonly quality: number;
}

const QUALITY = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

function readRange(text: string): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters
    .map((parameter) => QUALITY.exec(parameter)?.[1])
    .find((each) => each !== undefined);
  return { range, quality: Number(quality ?? 1) };
}

/** The most specific range that covers the type decides (RFC 9110, 12.5.1); 0 when none does. */
function qualityOf(ranges: readonly MediaRange[], type: string): number {
  for (const covering of [type, `${type.split('/', 1)[0] ?? ''}/*`, '*/*']) {
    const found = ranges.find(({ range }) => range === covering);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
