import type { Instant } from '#domain/instant.ts';
import type { Reads } from '#infra/database/database.ts';
import { limitRow } from './tables.ts';

/** Usage beyond a hard limit, of one limit in one period. */
export interface Overdraft {
  readonly customer: string;
  readonly feature: string;
  readonly limitKey: string;
  /** Null in a rolling limit, whose usage has no period. */
  readonly period: { readonly from: Instant; readonly to: Instant } | null;
  readonly limit: string;
  /** What was used beyond the limit, though neither reserved nor with room for it: summed up, never taken back. */
  readonly overdraft: string;
  /** When the last of it was committed. */
  readonly at: Instant;
}

/** The overdrafts of a namespace that grew at or after `since`, the oldest first, at most `limit`. */
export async function listOverdrafts(
  from: Reads,
  namespace: string,
  { since = 0, limit }: { readonly since?: Instant; readonly limit: number },
): Promise<Overdraft[]> {
  const range = { prefix: [namespace], from: since };
  const overdrafts: Overdraft[] = [];
  for await (const row of from.scan(limitRow, range, { index: 'byOverdraft', limit })) {
    const { customer, feature, limitKey, periodStart, periodEnd, amount, overdraft, overdraftAt } = row;
    overdrafts.push({
      customer,
      feature,
      limitKey,
      period: periodEnd === null ? null : { from: periodStart, to: periodEnd },
      limit: amount,
      overdraft,
      at: overdraftAt ?? 0,
    });
  }
  return overdrafts;
}
