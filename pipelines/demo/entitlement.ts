import type { ApiClient } from './api-client.ts';

/** What a check answers, as far as the demo reads it. */
export interface EntitlementAnswer {
  /** Of the tightest limit, as the fields beside it. */
  readonly limitKey: string;
  readonly limit: string;
  readonly used: string;
  readonly reserved: string;
  readonly remaining: string;
  readonly limits: readonly LimitAnswer[];
}

export interface LimitAnswer {
  readonly limitKey: string;
  readonly used: string;
  readonly period: { readonly from: string; readonly to: string };
}

export const entitlementPath = ({ customer, feature }: { customer: string; feature: string }): string =>
  `/v1/customers/${encodeURIComponent(customer)}/entitlements/${feature}`;

/** May the customer use the feature, and how much is left? */
export async function checkEntitlement(
  client: ApiClient,
  of: { readonly customer: string; readonly feature: string },
): Promise<EntitlementAnswer> {
  return (await client.send({ method: 'GET', path: entitlementPath(of) })).body as EntitlementAnswer;
}
