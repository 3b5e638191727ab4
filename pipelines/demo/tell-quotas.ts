import type { Found } from './check.ts';
import { isAsExpected, type Balance, type ReservationStory, type StoryStep } from './reservation-story.ts';
import { aligned, grouped } from './table.ts';

/** The story of one hard limit, and whether all limits say what was counted. */
export function tellQuotas({
  reservations,
  found,
}: {
  readonly reservations: ReservationStory;
  readonly found: Found;
}): string[] {
  const { customer, feature, limitKey, limit, before, piece, refused, steps, ok } = reservations;
  const { limits } = found;
  const different = limits.filter(({ used, expected }) => used !== expected);
  const [header, first, ...rows] = aligned([
    ['', 'used', 'reserved', 'remaining'],
    ['before', ...cellsOf(before)],
    ...steps.map((step) => [step.what, ...cellsOf(step.found)]),
  ]);
  const [reserved = '', ...others] = rows.map((row, index) => `${row}${markOf(steps[index])}`);
  return [
    `  a hard limit: ${customer} may use ${grouped(BigInt(limit))} ${feature} (its limit "${limitKey}")`,
    '',
    header ?? '',
    first ?? '',
    reserved,
    `    one more is refused: ${refused.status} ${refused.code}, ${grouped(BigInt(piece))} asked for and ${grouped(BigInt(refused.remaining))} left; resets at ${refused.resetsAt}`,
    ...others,
    '',
    `  the limits      ${ok ? 'used and reserved are never beyond the limit' : 'A BALANCE DIFFERS'}; ${different.length === 0 ? `what is used equals the independent count, for ${limits.length === 1 ? 'the one limit there is' : `all ${limits.length} limits`}` : 'the independent count DIFFERS:'}`,
    ...different.map(
      ({ customer: whose, feature: what, limitKey, used, expected }) =>
        `    ${whose}, ${what}, ${limitKey}: used ${used}, independently ${expected}`,
    ),
  ];
}

const cellsOf = ({ used, reserved, remaining }: Balance): string[] =>
  [used, reserved, remaining].map((value) => grouped(BigInt(value)));

const markOf = (step: StoryStep | undefined): string =>
  step === undefined || isAsExpected(step) ? '' : `  DIFFERS: ${cellsOf(step.expected).join(', ')}`;
