import type { z } from 'zod';
import type { Transaction } from '#infra/database/database.ts';
import type { ChangedSubscription } from '#infra/subscriptions/create-subscription.ts';
import { readVersionsNamed } from '#infra/subscriptions/read-subscriptions.ts';
import type { Frozen } from '../http/answer.ts';
import { toChangedInvoice, toSubscriptionDocument, type changeDocument } from './documents.ts';
import { toEffectDocument } from './effect-document.ts';
import type { Foreseen, Foreseeing } from './foresee.ts';

/** What is answered of a change. Its cost is told if what was done is what was foreseen: somebody else may have come in between. */
export async function changeAnswer(
  tx: Transaction,
  { namespace, now }: Pick<Foreseeing, 'namespace' | 'now'>,
  { subscription, effects }: ChangedSubscription,
  foreseen: Foreseen | undefined,
): Promise<Frozen<z.input<typeof changeDocument>>> {
  const versions = await readVersionsNamed(tx, namespace, [subscription]);
  const isForeseen = JSON.stringify(foreseen?.subscription) === JSON.stringify(subscription);
  return {
    subscription: toSubscriptionDocument(subscription, { versions, now }),
    effects: effects.map(toEffectDocument),
    invoices: isForeseen ? (foreseen?.invoices?.map(toChangedInvoice) ?? null) : null,
  };
}
