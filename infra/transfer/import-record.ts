import { CUSTOMER_LEVELS_MAX } from '#domain/limits.ts';
import { normaliseLimits } from '#domain/entitlements/limit.ts';
import { putEventType, readEventType } from '#infra/catalogue/event-types.ts';
import { checkFeature, readFeature } from '#infra/catalogue/features.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { feature } from '#infra/catalogue/tables.ts';
import {
  checkCustomer,
  checkOpaqueName,
  customerFields,
  wholeDefinition,
} from '#infra/customers/customer-definition.ts';
import { readSubjectRows, writeOwnership } from '#infra/customers/own-subjects.ts';
import { customer, type CustomerRow } from '#infra/customers/tables.ts';
import type { Transaction } from '#infra/database/database.ts';
import { getLimits, putLimits } from '#infra/entitlements/put-limits.ts';
import { readSellerRow, readSellers } from '#infra/sellers/read-sellers.ts';
import { checkSeller, sellerFields, wholeSeller } from '#infra/sellers/seller-definition.ts';
import { seller } from '#infra/sellers/tables.ts';
import { TransferError, type RecordLine } from './format.ts';
import {
  importBilledItem,
  importNumberSeries,
  importPlan,
  importPlanVersion,
  importSubscription,
} from './import-billing.ts';
import { check, isThere, type Line, type Place } from './judge-record.ts';

/**
 * Takes in one record of a file, after its events. What is there already and says the same is left alone; what says something else is
 * never overwritten. Bounds over several lines held where the file was written, and its digest says that it is unchanged. Throws
 * `TransferError`, and what the rules of each kind throw.
 */
export async function importRecord(tx: Transaction, place: Place, record: RecordLine): Promise<void> {
  switch (record.kind) {
    case 'meter':
      return;
    case 'eventType':
      return importEventType(tx, place, record);
    case 'feature':
      return importFeature(tx, place, record);
    case 'seller':
      return importSeller(tx, place, record);
    case 'plan':
      return importPlan(tx, place, record);
    case 'planVersion':
      return importPlanVersion(tx, place, record);
    case 'customer':
      return importCustomer(tx, place, record);
    case 'subject':
      return importSubject(tx, place, record);
    case 'limits':
      return importLimits(tx, place, record);
    case 'numberSeries':
      return importNumberSeries(tx, place, record);
    case 'billedItem':
      return importBilledItem(tx, place, record);
    case 'subscription':
      return importSubscription(tx, place, record);
  }
}

async function importEventType(
  tx: Transaction,
  { namespace }: Place,
  line: Line<'eventType'>,
): Promise<void> {
  const { type, schema, enforce } = line;
  const there = await readEventType(tx, namespace, type);
  const said = there && { schema: there.schema, enforce: there.enforce };
  if (isThere(`the event type ${type}`, said, { schema, enforce })) return;
  await putEventType(tx, { namespace, type, schema, enforce });
}

async function importFeature(tx: Transaction, place: Place, line: Line<'feature'>): Promise<void> {
  const { namespace, now } = place;
  const { key, name, meter, unit, archivedAt } = line;
  const there = await readFeature(tx, namespace, key);
  const said = there && { name: there.name, meter: there.meter, unit: there.unit };
  if (isThere(`the feature ${key}`, said, { name, meter, unit })) return;
  check(checkFeature({ namespace, key, name, meter, unit, now }));
  if (meter !== null && (await readMeterVersions(tx, namespace, meter)).length === 0)
    throw new TransferError(`the feature ${key} has the meter ${meter}, which is not in the file`);
  tx.insert(feature, { namespace, key, name, meter, unit, createdAt: now, updatedAt: now, archivedAt });
}

async function importSeller(tx: Transaction, place: Place, line: Line<'seller'>): Promise<void> {
  const { namespace, now } = place;
  const { kind: _, key, createdAt, archivedAt, ...definition } = line;
  check(checkSeller(key, definition));
  const fields = wholeSeller(definition);
  const there = await readSellerRow(tx, namespace, key);
  if (isThere(`the seller ${key}`, there && sellerFields(there), fields)) return;
  tx.insert(seller, { namespace, key, ...fields, createdAt, updatedAt: now, archivedAt });
}

async function importCustomer(tx: Transaction, place: Place, line: Line<'customer'>): Promise<void> {
  const { namespace, now } = place;
  const { kind: _, key, createdAt, archivedAt, ...definition } = line;
  check(checkCustomer(key, definition));
  const { subjects: __, ...fields } = wholeDefinition(definition);
  const [there] = await tx.read(customer, [[namespace, key]]);
  if (isThere(`the customer ${key}`, there && customerFields(there), fields)) return;
  if (fields.seller !== null) await readSellers(tx, namespace, [fields.seller]);
  if (fields.parent !== null) await checkLevels(tx, namespace, fields.parent);
  tx.insert(customer, { namespace, key, ...fields, createdAt, updatedAt: now, archivedAt });
}

async function checkLevels(tx: Transaction, namespace: string, parent: string): Promise<void> {
  let next: string | null = parent;
  for (let levels = 1; levels < CUSTOMER_LEVELS_MAX; levels++) {
    const [row]: (CustomerRow | undefined)[] = await tx.read(customer, [[namespace, next]]);
    if (row === undefined) throw new TransferError(`its parent ${next} comes after it, or not at all`);
    next = row.parent;
    if (next === null) return;
  }
  throw new TransferError(`more than ${CUSTOMER_LEVELS_MAX} levels of customers`);
}

async function importSubject(tx: Transaction, { namespace }: Place, line: Line<'subject'>): Promise<void> {
  const { subject, customers } = line;
  check(checkOpaqueName('', subject));
  const [row] = await readSubjectRows(tx, namespace, [subject]);
  if (row === undefined) throw new Error('a row was asked for and none came');
  const there = row.customers.length === 0 ? undefined : { customers: row.customers };
  if (isThere(`the subject ${subject}`, there, { customers })) return;
  if (customers.some(({ from }, place) => place > 0 && from <= (customers[place - 1]?.from ?? 0)))
    throw new TransferError(`the customers of ${subject} are not in order`);
  const owners = new Set(customers.map((each) => each.customer).filter((owner) => owner !== null));
  const found = await tx.read(
    customer,
    [...owners].map((owner) => [namespace, owner]),
  );
  const missing = [...owners].find((_, place) => found[place] === undefined);
  if (missing !== undefined) throw new TransferError(`its customer ${missing} is not in the file`);
  writeOwnership(tx, row, customers);
}

/** What is used is counted anew, from the cells that the events have made. */
async function importLimits(tx: Transaction, { namespace, now }: Place, line: Line<'limits'>): Promise<void> {
  const { customer: owner, feature: key } = line;
  const limits = normaliseLimits(line.limits);
  const place = { namespace, customer: owner, feature: key };
  const there = (await getLimits(tx, place)).limits;
  if (isThere(`a limit of ${owner} on ${key}`, there.length === 0 ? undefined : there, limits)) return;
  await putLimits(tx, { ...place, limits, now });
}
