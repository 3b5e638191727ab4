import { isTimeZone } from '#domain/calendar/time-zone.ts';
import { PLAN_NAME_BYTES_MAX } from '#domain/limits.ts';
import { checkKey } from '#domain/plans/check-plan-charge.ts';
import { checkPlanVersion } from '#domain/plans/check-plan-version.ts';
import { checkSubscriptionSize } from '#domain/subscriptions/check-size.ts';
import { checkPrintable } from '#domain/violation.ts';
import { customer } from '#infra/customers/tables.ts';
import type { Transaction } from '#infra/database/database.ts';
import { billedItem, numberSeries, subscriptionBilling } from '#infra/invoicing/tables.ts';
import { metersOf } from '#infra/plans/publish-version.ts';
import { readPlan, readVersionRow } from '#infra/plans/read-plans.ts';
import { plan as planTable, planMeter, planVersion } from '#infra/plans/tables.ts';
import { readSellers } from '#infra/sellers/read-sellers.ts';
import { readSubscriptions } from '#infra/subscriptions/read-subscriptions.ts';
import { writeSubscription } from '#infra/subscriptions/write-subscription.ts';
import { TransferError } from './format.ts';
import { check, isThere, type Line, type Place } from './judge-record.ts';

export async function importPlan(tx: Transaction, place: Place, line: Line<'plan'>): Promise<void> {
  const { namespace, now } = place;
  const { kind: _, key, name, ...times } = line;
  check([...checkKey('', key, 'plan'), ...checkPrintable('/name', name, PLAN_NAME_BYTES_MAX)]);
  const there = await readPlan(tx, namespace, key);
  if (isThere(`the plan ${key}`, there && { name: there.name }, { name })) return;
  const empty = { newestVersion: 0, activeVersion: null };
  tx.insert(planTable, { namespace, key, name, ...empty, ...times, updatedAt: now });
}

/** Meters are not looked for: a version that was published served there, and those who are on it go on. */
export async function importPlanVersion(
  tx: Transaction,
  { namespace }: Place,
  line: Line<'planVersion'>,
): Promise<void> {
  const { kind: _, ...row } = line;
  const { plan, version, state, definition } = row;
  const [of, there] = await Promise.all([
    readPlan(tx, namespace, plan),
    readVersionRow(tx, namespace, { plan, version }),
  ]);
  if (of === undefined) throw new TransferError(`its plan ${plan} is not in the file`);
  check(checkPlanVersion(definition));
  const said = there && { definition: there.definition };
  if (isThere(`version ${version} of the plan ${plan}`, said, { definition })) return;
  tx.insert(planVersion, { namespace, ...row });
  tx.update(planTable, {
    namespace,
    key: plan,
    newestVersion: Math.max(of.newestVersion, version),
    activeVersion: state === 'active' ? Math.max(of.activeVersion ?? 0, version) : of.activeVersion,
  });
  if (row.publishedAt === null) return;
  for (const meter of metersOf(definition)) tx.insert(planMeter, { namespace, meter, plan, version });
}

/** One that has gone on since stays where it is. */
export async function importNumberSeries(
  tx: Transaction,
  { namespace }: Place,
  line: Line<'numberSeries'>,
): Promise<void> {
  const { seller, series, year, next } = line;
  const [there] = await tx.read(numberSeries, [[namespace, seller, series, year]]);
  if (there !== undefined && there.next >= next) return;
  if (there !== undefined)
    throw new TransferError(`${seller} has given numbers of its own under ${series} in ${year}`);
  tx.insert(numberSeries, { namespace, seller, series, year, next });
}

/** Of a subscription that is there all of this was there before it, and may have changed since. */
export async function importBilledItem(
  tx: Transaction,
  { namespace }: Place,
  line: Line<'billedItem'>,
): Promise<void> {
  const { kind: _, itemKind: kind, ...row } = line;
  const { subscription, periodFrom, item } = row;
  const [[known], [there]] = await Promise.all([
    readSubscriptions(tx, namespace, [subscription]),
    tx.read(billedItem, [[namespace, subscription, periodFrom, item]]),
  ]);
  const billed = { namespace, ...row, kind };
  if (known !== undefined || isThere(`what is billed of ${item}`, there, billed)) return;
  tx.insert(billedItem, billed);
}

export async function importSubscription(
  tx: Transaction,
  { namespace }: Place,
  line: Line<'subscription'>,
): Promise<void> {
  const { kind: _, ...wanted } = line;
  const [there] = await readSubscriptions(tx, namespace, [wanted.id]);
  if (isThere(`the subscription ${wanted.id}`, there, wanted)) return;
  check(checkSubscriptionSize(wanted));
  checkTimeline(wanted);
  const [owner] = await tx.read(customer, [[namespace, wanted.customer]]);
  if (owner === undefined) throw new TransferError(`its customer ${wanted.customer} is not in the file`);
  await readSellers(tx, namespace, [wanted.seller]);
  await checkVersions(tx, namespace, wanted);
  writeSubscription(tx, namespace, undefined, wanted);
  // How far it is settled is not brought along: the first run here compares all that is due with all that is billed.
  const billing = { namespace, subscription: wanted.id, revision: 1, settledThrough: null, termsHash: '' };
  tx.insert(subscriptionBilling, billing);
}

type Imported = Omit<Line<'subscription'>, 'kind'>;

function checkTimeline({ id, terms, startAt, timezone }: Imported): void {
  if (!isTimeZone(timezone)) throw new TransferError(`the subscription ${id} has no IANA time zone`);
  const isInOrder = terms.every(({ from }, at) => from > (terms[at - 1]?.from ?? -Infinity));
  if (terms[0].from !== startAt || !isInOrder)
    throw new TransferError(`the terms of the subscription ${id} are not in order from its start`);
}

async function checkVersions(tx: Transaction, namespace: string, { id, terms }: Imported): Promise<void> {
  const keys = terms.map(({ plan, version }) => [namespace, plan, version]);
  const missing = (await tx.read(planVersion, keys)).indexOf(undefined);
  const { plan, version } = terms[missing] ?? {};
  if (missing >= 0)
    throw new TransferError(
      `the subscription ${id} names version ${version} of ${plan}, which is not in the file`,
    );
}
