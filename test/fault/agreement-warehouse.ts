import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR } from '#domain/instant.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import type { Plan } from '#test/support/reference-plan.ts';
import {
  byHour,
  decimal,
  divide,
  fingerprintOf,
  groupOf,
  valueOf,
  type CountedEvent,
  type ReferenceUsage,
} from '#test/support/reference-usage.ts';
import type { StoredEvent } from './agreement.ts';
import { expectSame } from './differences.ts';

export interface Counted {
  readonly plan: Plan;
  readonly counted: readonly StoredEvent[];
  readonly usage: ReferenceUsage;
}

type Ask = (
  query: string,
  parameters?: Record<string, string | boolean | readonly string[]>,
) => Promise<WarehouseRow[]>;

/** The warehouse's exact view has each counted event once, as it was committed; its usage and fingerprints are those of the count. */
export async function expectWarehouse(
  warehouse: Warehouse,
  { plan, counted, usage }: Counted,
): Promise<void> {
  const range = {
    namespace: NAMESPACE,
    from: formatInstant(plan.from - MICROS_PER_DAY),
    to: formatInstant(plan.to + MICROS_PER_DAY),
  };
  const ask: Ask = async (query, parameters = {}) => {
    const rows: WarehouseRow[] = [];
    for await (const row of warehouse.query(query, { ...range, ...parameters })) rows.push(row);
    return rows;
  };
  await expectEvents(ask, counted);
  await expectConflicts(ask, plan, counted);
  await expectUsage(ask, usage);
  await expectFingerprints(ask, usage);
}

async function expectEvents(ask: Ask, counted: readonly StoredEvent[]): Promise<void> {
  const rows = await ask('events_exact');
  const names = rows.map(({ identity }) => String(identity));
  expectSame(
    'identities in the exact view',
    new Map([['count', names.length]]),
    new Map([['count', new Set(names).size]]),
  );
  expectSame(
    'events in the exact view',
    new Map(
      rows.map((row) => [
        String(row['identity']),
        [row['digest'], row['time'], row['committed_at'], row['catalogue_version']],
      ]),
    ),
    new Map(
      counted.map(({ identity, copy, time, committedAt, catalogueVersion }) => [
        identity,
        [copy.digest, formatInstant(time), formatInstant(committedAt), catalogueVersion],
      ]),
    ),
  );
}

async function expectConflicts(ask: Ask, plan: Plan, counted: readonly StoredEvent[]): Promise<void> {
  const won = new Map(counted.map(({ identity, copy }) => [identity, copy.digest]));
  const losers = plan.events.flatMap(({ identity, contents }) =>
    contents
      .filter(({ digest }) => won.get(identity) !== digest)
      .map(({ digest }) => `${identity} ${digest}`),
  );
  const rows = (await ask('events')).filter(({ outcome }) => outcome === 'conflict');
  expectSame(
    'conflicts in the warehouse',
    new Map(rows.map(({ identity, digest }) => [`${String(identity)} ${String(digest)}`, true])),
    new Map(losers.filter((name) => won.has(name.slice(0, 32))).map((name) => [name, true])),
  );
}

/** Usage by hour and subject, and by group, of every meter that the warehouse can aggregate. */
async function expectUsage(ask: Ask, usage: ReferenceUsage): Promise<void> {
  for (const [key, meter] of Object.entries(REFERENCE_METERS)) {
    const { aggregation, value, dimensions = {} } = meter;
    // The warehouse keeps no levels; what such a meter counted is compared by fingerprint.
    if (aggregation === 'timeWeightedSum') continue;
    const paths = Object.keys(dimensions)
      .sort()
      .map((name) => dimensions[name] ?? '');
    const rows = await ask('usage_by_window', {
      aggregation,
      meter: `${key}@1`,
      window: 'hour',
      bySubject: true,
      dimensions: paths,
      ...(value === undefined ? {} : { value }),
    });
    const found = rows.map((row): [string, unknown] => [
      JSON.stringify([
        row['subject'],
        row['window_start'],
        paths.length === 0 ? '[]' : JSON.stringify(row['dimensions']),
      ]),
      [row['events'], aggregation === 'average' ? average(row) : row['value']],
    ]);
    const wanted = new Map<string, CountedEvent[]>();
    for (const [name, series] of usage) {
      const [of, subject] = JSON.parse(name) as [string, string];
      if (of !== key) continue;
      for (const [hour, events] of byHour(series)) {
        const start = formatInstant(hour * MICROS_PER_HOUR);
        for (const [group, some] of Map.groupBy(events, (event) => groupOf(meter, event))) {
          wanted.set(JSON.stringify([subject, start, group]), some);
        }
      }
    }
    expectSame(
      `${key} in the warehouse`,
      new Map(found),
      new Map([...wanted].map(([name, events]) => [name, [events.length, valueOf(meter, events)]])),
    );
  }
}

/** The warehouse gives an average as its sum and the number of events. */
function average({ value, events }: WarehouseRow): string {
  const [integer = '', fraction = ''] = String(value).replace('-', '').split('.');
  const magnitude = BigInt(`${integer}${fraction.padEnd(18, '0')}`);
  return decimal(divide(String(value).startsWith('-') ? -magnitude : magnitude, BigInt(Number(events))));
}

async function expectFingerprints(ask: Ask, usage: ReferenceUsage): Promise<void> {
  const wanted = new Map<string, unknown>();
  for (const [name, series] of usage) {
    const [meter, subject] = JSON.parse(name) as [string, string];
    for (const [hour, events] of byHour(series)) {
      wanted.set(JSON.stringify([subject, `${meter}@1`, formatInstant(hour * MICROS_PER_HOUR)]), [
        events.length,
        fingerprintOf(events),
      ]);
    }
  }
  const rows = await ask('fingerprints', { window: 'hour' });
  const found = rows.map(
    ({ subject, meter, window_start: start, events, fingerprint }): [string, unknown] => [
      JSON.stringify([subject, meter, start]),
      [events, fingerprint],
    ],
  );
  expectSame('fingerprints in the warehouse', new Map(found), wanted);
}
