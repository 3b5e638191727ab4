import type { Fraction } from '../money/fraction.ts';
import type { PreparedCharge } from './prepared-charge.ts';
import { rateCharge, type RatedCharge } from './rate-charge.ts';
import type { RateRequest, Reached, RoundingScope, Usage } from './usage.ts';

/** A part of a period between two changes: of a plan, a price, or a number of seats. */
export interface ChangeSegment {
  readonly charge: PreparedCharge;
  readonly usage: Usage;
  /** The part of the period that it lasts. */
  readonly fraction: Fraction;
}

export interface SegmentsRequest {
  readonly segments: readonly ChangeSegment[];
  readonly decimals: number;
  readonly rounding?: RoundingScope | undefined;
  /** The period goes on: no minimum nor fee that is due with its end, and a volume price is that of the units so far. */
  readonly goesOn?: boolean | undefined;
}

/** How what there is of a period that goes on is rated: all of it, as far as it has come. */
const SO_FAR = { segment: 'middle', mode: 'cumulative' } as const;

/**
 * Rates the segments of one charge in a period, in order, each at its own price. What a segment does with those before it, its own charge
 * says: `continue` goes on in its tiers where they ended, `restart` begins again, `prorateTiers` begins again in tiers of its part of the period.
 *
 * A volume price that goes on selects its tier by the units of all segments that go on together, and the last of them has the flat fee.
 * Worked: two halves of a month, 6 units each, 10 a unit up to 10 and then 5: graduated and continued they are 60, and 40 + 10.
 */
export function rateSegments({
  segments,
  decimals,
  rounding,
  goesOn = false,
}: SegmentsRequest): readonly RatedCharge[] {
  const requests: RateRequest[] = [];
  const rated: RatedCharge[] = [];
  let reached: Reached | undefined;
  for (const { charge, usage, fraction } of segments) {
    const request: RateRequest = {
      ...(goesOn ? SO_FAR : {}),
      usage,
      decimals,
      rounding,
      fraction,
      reached: charge.onChange === 'continue' ? reached : undefined,
    };
    const one = rateCharge(charge, request);
    requests.push(request);
    rated.push(one);
    ({ reached } = one);
  }
  return rated.map((one, index) => volumeRated(segments, requests, rated, index) ?? one);
}

/** A volume segment again, now that the whole period is known; undefined where it stands as it is. */
function volumeRated(
  segments: readonly ChangeSegment[],
  requests: readonly RateRequest[],
  rated: readonly RatedCharge[],
  index: number,
): RatedCharge | undefined {
  const segment = segments[index];
  const request = requests[index];
  if (!segment || !request || segment.charge.model.model !== 'volume' || 'seats' in segment.usage)
    return undefined;
  const last = lastOfRun(segments, index);
  const period = rated[last]?.reached;
  if (!period) return undefined;
  return rateCharge(segment.charge, { ...request, volume: { period, feeDue: index === last } });
}

/** The last segment that goes on from this one. */
function lastOfRun(segments: readonly ChangeSegment[], index: number): number {
  let last = index;
  while (segments[last + 1]?.charge.onChange === 'continue') last++;
  return last;
}
