import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { eventType, feature, meterVersion } from '#infra/catalogue/tables.ts';
import { customerFields } from '#infra/customers/customer-definition.ts';
import { customer, type CustomerRow } from '#infra/customers/tables.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { customerLimits } from '#infra/entitlements/tables.ts';
import { sellerFields } from '#infra/sellers/seller-definition.ts';
import { seller } from '#infra/sellers/tables.ts';
import { subject } from '#infra/usage/tables.ts';
import { billed, plans, subscriptions } from './export-billing.ts';
import { writtenLimit, type WrittenRecord } from './format.ts';
import { timeOrNull, writtenAnchor } from './line-fields.ts';

/** All of a namespace but its events, in one snapshot: each line says nothing that needs a later one. */
export async function* exportRecords({
  database,
  namespace,
}: {
  readonly database: Database;
  readonly namespace: string;
}): AsyncGenerator<WrittenRecord, void, undefined> {
  const snapshot = await database.snapshot();
  try {
    yield* meters(snapshot, namespace);
    yield* eventTypes(snapshot, namespace);
    yield* features(snapshot, namespace);
    yield* sellers(snapshot, namespace);
    yield* plans(snapshot, namespace);
    yield* customersBelow(snapshot, namespace, null);
    yield* subjects(snapshot, namespace);
    yield* limits(snapshot, namespace);
    yield* billed(snapshot, namespace);
    yield* subscriptions(snapshot, namespace);
  } finally {
    await snapshot.close();
  }
}

type Records = AsyncGenerator<WrittenRecord, void, undefined>;

async function* meters(from: Reads, namespace: string): Records {
  for await (const row of from.scan(meterVersion, { prefix: [namespace] })) {
    const { key, version, generation, since, until, definition } = row;
    const state = row.state as 'active';
    yield { kind: 'meter', key, version, generation, state, since, until, definition };
  }
}

async function* eventTypes(from: Reads, namespace: string): Records {
  for await (const { type, schema, enforce } of from.scan(eventType, { prefix: [namespace] }))
    yield {
      kind: 'eventType',
      type,
      schema: schema === null ? null : (JSON.parse(schema) as unknown),
      enforce: enforce as 'reject',
    };
}

async function* features(from: Reads, namespace: string): Records {
  for await (const { key, name, meter, unit, archivedAt } of from.scan(feature, { prefix: [namespace] }))
    yield { kind: 'feature', key, name, meter, unit, archivedAt: timeOrNull(archivedAt) };
}

async function* sellers(from: Reads, namespace: string): Records {
  for await (const row of from.scan(seller, { prefix: [namespace] })) {
    const { numberPrefix: prefix, timezone, ...fields } = sellerFields(row);
    yield {
      kind: 'seller',
      key: row.key,
      ...fields,
      ids: [...fields.ids],
      taxRates: fields.taxRates && [...fields.taxRates],
      numbering: { prefix, timezone },
      createdAt: formatInstant(row.createdAt),
      archivedAt: timeOrNull(row.archivedAt),
    };
  }
}

/** Parents before their children, of which there are few levels. */
async function* customersBelow(from: Reads, namespace: string, parent: string | null): Records {
  const range = { prefix: [namespace, parent] };
  for await (const row of from.scan(customer, range, { index: 'byParent' })) {
    yield customerRecord(row);
    yield* customersBelow(from, namespace, row.key);
  }
}

function customerRecord(row: CustomerRow): WrittenRecord {
  const { key, createdAt, archivedAt } = row;
  const { billingAnchor, ...fields } = customerFields(row);
  return {
    kind: 'customer',
    key,
    ...fields,
    taxIds: [...fields.taxIds],
    taxRates: fields.taxRates && [...fields.taxRates],
    billingAnchor: billingAnchor === null ? null : writtenAnchor(billingAnchor),
    createdAt: formatInstant(createdAt),
    archivedAt: timeOrNull(archivedAt),
  };
}

async function* subjects(from: Reads, namespace: string): Records {
  for await (const row of from.scan(subject, { prefix: [namespace] })) {
    if (row.customers.length === 0) continue;
    const customers = row.customers.map(({ from: since, customer: owner }) => ({
      from: formatInstant(since),
      customer: owner,
    }));
    yield { kind: 'subject', subject: row.subject, customers };
  }
}

async function* limits(from: Reads, namespace: string): Records {
  for await (const row of from.scan(customerLimits, { prefix: [namespace] }))
    if (row.limits.length > 0)
      yield {
        kind: 'limits',
        customer: row.customer,
        feature: row.feature,
        limits: row.limits.map(writtenLimit),
      };
}
