import { pricesOf } from '#domain/invoicing/check-billed-charges.ts';
import { usageNeeded, type UsageNeeded } from '#domain/invoicing/usage-needed.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Charge } from '#domain/pricing/charge.ts';
import type { Violation } from '#domain/violation.ts';

/** The versions that answer questions, by the meters' keys. */
export type Meters = ReadonlyMap<string, MeterVersion>;

/** What keeps the meter of a charge from telling what its prices ask, by pointers below the charge's own. The charge is a checked one. */
export function checkMeterServes(charge: Charge, meters: Meters, pointer: string): Violation[] {
  if (charge.meter == null) return [];
  const meter = meters.get(charge.meter);
  if (meter === undefined)
    return [
      {
        pointer: `${pointer}/meter`,
        code: 'unknown_meter',
        message: `there is no meter ${charge.meter} that can be read`,
      },
    ];
  return pricesOf(charge).flatMap((price, at) => {
    const place = at === 0 ? `${pointer}/price` : `${pointer}/rates/${at - 1}/price`;
    return checkNeeds(meter, usageNeeded(charge, price), place);
  });
}

function checkNeeds(
  { key, definition: { aggregation, dimensions = {} } }: MeterVersion,
  needs: UsageNeeded,
  pointer: string,
): Violation[] {
  if (needs.kind === 'events')
    return aggregation === 'unique' || aggregation === 'timeWeightedSum'
      ? [
          {
            pointer,
            code: 'events_without_value',
            message: `judges each event by itself, but no event of the ${aggregation} meter ${key} has a value of its own`,
          },
        ]
      : [];
  if (needs.kind !== 'groups' || needs.dimensions === 'all') return [];
  return needs.dimensions.flatMap((name, index) =>
    Object.hasOwn(dimensions, name)
      ? []
      : [
          {
            pointer: `${pointer}/dimensions/${index}`,
            code: 'unknown_dimension',
            message: `is no dimension of meter ${key}`,
          },
        ],
  );
}
