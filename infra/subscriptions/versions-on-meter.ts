import type { Instant } from '#domain/instant.ts';
import type { Reads } from '#infra/database/database.ts';
import { readVersionRow, type PlanVersionRow, type VersionPlace } from '#infra/plans/read-plans.ts';
import { planMeter } from '#infra/plans/tables.ts';
import { readSubscriptions } from './read-subscriptions.ts';
import { versionSubscription } from './tables.ts';
import { versionsAhead } from './write-subscription.ts';

interface AskedMeter {
  readonly namespace: string;
  readonly meter: string;
  readonly now: Instant;
}

/** Subscriptions that are looked at together. */
const READ_AT_ONCE = 100;

/**
 * The plan versions by which usage of a meter is paid for, now or later: active ones, and archived ones that a subscription is on or will be. One after
 * the other, so that who only asks whether there is any reads one.
 */
export async function* versionsOnMeter(
  from: Reads,
  { namespace, meter, now }: AskedMeter,
): AsyncGenerator<PlanVersionRow, void, undefined> {
  const places = await Array.fromAsync(from.scan(planMeter, { prefix: [namespace, meter] }));
  for (const place of places) {
    const row = await readVersionRow(from, namespace, place);
    if (row === undefined) continue;
    if (row.state === 'active' || (await isSubscribed(from, { ...place, now }))) yield row;
  }
}

/** The rows by version also name subscriptions that have ended or left since: their timelines tell. */
async function isSubscribed(
  from: Reads,
  { namespace, plan, version, now }: VersionPlace & Omit<AskedMeter, 'meter'>,
): Promise<boolean> {
  for (let after: string | undefined; ;) {
    const range = { prefix: [namespace, plan, version], ...(after === undefined ? {} : { from: after }) };
    // The range is closed below, so the one named by `after` itself comes first.
    const rows = await Array.fromAsync(from.scan(versionSubscription, range, { limit: READ_AT_ONCE + 1 }));
    const ids = rows.map(({ subscription }) => subscription).filter((id) => id !== after);
    const found = await readSubscriptions(from, namespace, ids);
    const isOn = found.some(
      (each) =>
        each !== undefined &&
        versionsAhead(each, now).some((ahead) => ahead.plan === plan && ahead.version === version),
    );
    if (isOn) return true;
    if (rows.length <= READ_AT_ONCE) return false;
    after = ids.at(-1);
  }
}
