import type { LimitDefinition } from '#domain/entitlements/limit.ts';
import { putFeature } from '#infra/catalogue/features.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { putLimits } from '#infra/entitlements/put-limits.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { commonTopicFaults, noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import { USAGE_TABLES } from '#infra/usage/tables.ts';
import {
  commonWarehouseFaults,
  noWarehouseFaults,
  openHostileWarehouse,
} from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import type { Simulation } from '#test/support/simulation.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';
import type { UsageWorld } from './usage-world.ts';

/*
 * A namespace with quotas: two customers, few subjects, limits of a few units, so that everybody races for the last ones.
 */

export const NAMESPACE = 'default';
export const SOURCE = 'urn:svc:test';
export const CUSTOMERS = ['acme', 'bolt'] as const;
/** The customer that a subject belongs to at first; `stray` is nobody's. */
export const SUBJECTS: Readonly<Record<string, (typeof CUSTOMERS)[number] | undefined>> = {
  'a-1': 'acme',
  'a-2': 'acme',
  'b-1': 'bolt',
  stray: undefined,
};
export const FEATURES = { tokens: 'tokens', calls: 'calls' } as const;

const METERS = {
  tokens: { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v' },
  calls: { name: 'Calls', eventType: 'use', aggregation: 'count' },
} as const;

/** Other definitions of the meters: each begins a generation of its own, which may become the one that counts. */
export const NEXT_METERS = [
  ['tokens', { ...METERS.tokens, filter: "data.m != 'free'" }],
  ['calls', { ...METERS.calls, filter: "data.m != 'free'" }],
] as const;

const PERIODS: readonly LimitDefinition['period'][] = [
  { every: 'P1M' },
  { every: 'PT1M' },
  { every: 'P1D', timezone: 'Asia/Kolkata' },
  { rolling: 'PT2M' },
  { rolling: 'PT5H' },
];

/** One to three limits, of which most are hard and all are small. */
export function drawLimits(draw: SeededRandom): LimitDefinition[] {
  return ['first', 'second', 'third'].slice(0, 1 + draw.below(3)).map((key) => ({
    key,
    amount: String(2 + draw.below(12)),
    period: draw.pick(PERIODS),
    overage: draw.pick(['hard', 'hard', 'hard', 'soft', 'metered'] as const),
  }));
}

export async function openQuotaWorld(sim: Simulation): Promise<UsageWorld> {
  const tables = [
    ...USAGE_TABLES,
    ...CATALOGUE_TABLES,
    ...PLAN_TABLES,
    ...CUSTOMER_TABLES,
    ...ENTITLEMENT_TABLES,
  ];
  const database = openHostile({ tables, schedule: sim, faults: noFaults });
  const topic = openHostileTopic({ schedule: sim, faults: noTopicFaults, ackDeadlineSeconds: 1 });
  const warehouse = openHostileWarehouse({ schedule: sim, faults: noWarehouseFaults });
  const now = sim.now();
  for (const [key, definition] of Object.entries(METERS))
    await putMeter(database, { namespace: NAMESPACE, key, definition });
  for (const [key, meter] of Object.entries(FEATURES))
    await database.transact((tx) => putFeature(tx, { namespace: NAMESPACE, key, name: key, meter, now }));
  for (const customer of CUSTOMERS) {
    const subjects = Object.keys(SUBJECTS).filter((subject) => SUBJECTS[subject] === customer);
    await database.transact((tx) =>
      putCustomer(tx, { namespace: NAMESPACE, key: customer, customer: { name: customer, subjects }, now }),
    );
    for (const feature of Object.keys(FEATURES))
      if (sim.draw.chance(0.8))
        await database.transact((tx) =>
          putLimits(tx, { namespace: NAMESPACE, customer, feature, limits: drawLimits(sim.draw), now }),
        );
  }
  database.setFaults({ ...commonFaults, abort: ABORT_CHANCE });
  topic.setFaults(commonTopicFaults);
  warehouse.setFaults(commonWarehouseFaults);
  return { sim, database, topic, warehouse, accounted: new Set() };
}

/** Per operation, and there are many in a transaction: more, and hardly one would ever get through. */
const ABORT_CHANCE = 0.01;

export interface UsageDraft {
  readonly id: string;
  readonly subject: string;
  readonly value: number;
  readonly time: Instant;
  readonly free: boolean;
}

export const usageMessage = ({ id, subject, value, time, free }: UsageDraft) => ({
  data: new TextEncoder().encode(
    JSON.stringify({
      specversion: '1.0',
      id,
      source: SOURCE,
      type: 'use',
      subject,
      time: formatInstant(time),
      data: { v: String(value), m: free ? 'free' : 'm1' },
    }),
  ),
  attributes: namespaceAttributes(NAMESPACE),
});
