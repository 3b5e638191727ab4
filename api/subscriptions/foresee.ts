import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { withoutWrites } from '#infra/database/without-writes.ts';
import { previewChange, type ChangedInvoice } from '#infra/invoicing/preview-change.ts';
import { RuleError } from '#infra/rule-error.ts';
import type { ChangedSubscription } from '#infra/subscriptions/create-subscription.ts';
import { WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import type { Services } from '../services.ts';

/** What a change does and costs, as far as one can tell before its transaction. */
export interface Foreseen {
  readonly subscription: ChangedSubscription['subscription'];
  /** Null: that cannot be told. */
  readonly invoices: readonly ChangedInvoice[] | null;
}

export interface Foreseeing {
  readonly namespace: string;
  readonly now: Instant;
  readonly preview: boolean;
}

/**
 * Plans a change on a snapshot, by the code that makes it, and computes what it costs: that asks too much of the stores for a transaction. What is
 * refused is undefined here, since the transaction decides and says why; so a request that is repeated gets its first answer.
 */
export async function foresee(
  services: Pick<Services, 'database' | 'warehouse'>,
  asked: Foreseeing,
  change: (tx: Transaction) => Promise<ChangedSubscription>,
): Promise<Foreseen | undefined> {
  const changed = await unlessRefused(() =>
    inSnapshot(services.database, (snapshot) => change(withoutWrites(snapshot))),
  );
  if (changed === undefined) return undefined;
  return { subscription: changed.subscription, invoices: await costOf(services, asked, changed) };
}

async function costOf(
  services: Pick<Services, 'database' | 'warehouse'>,
  { namespace, now, preview }: Foreseeing,
  { subscription: changed, effects }: ChangedSubscription,
): Promise<readonly ChangedInvoice[] | null> {
  const [first] = effects;
  if (first === undefined) return [];
  try {
    const cost = () => previewChange(services, { namespace, changed, from: first.at, now });
    return (await unlessRefused(cost)) ?? null;
  } catch (error) {
    // Nobody is kept from cancelling because a store that only knows the price does not answer.
    if (!preview && (error instanceof StoreFailure || error instanceof WarehouseUnavailable)) return null;
    throw error;
  }
}

async function unlessRefused<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RuleError) return undefined;
    throw error;
  }
}
