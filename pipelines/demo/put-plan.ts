import type { ApiClient } from './api-client.ts';
import type { DataSet } from './data-set.ts';

/** The namespace's only seller is everybody's. */
const SELLER = '/v1/sellers/default';
const PLAN = { key: 'pay-as-you-go', name: 'Pay as you go' };

/**
 * Makes the seller, a plan of the charges with a published version, and a subscription to it for every customer. Subscriptions begin with
 * the month that is billed, and periods are counted from its end: so it is one whole period, over by now.
 */
export async function putPlan(
  client: ApiClient,
  { catalogue, charges: { currency, charges }, seller, month }: DataSet,
): Promise<void> {
  const plan = `/v1/plans/${PLAN.key}`;
  await client.send({ method: 'PUT', path: SELLER, body: seller });
  await client.send({ method: 'PUT', path: plan, body: { name: PLAN.name } });
  const draft = { currencies: [currency], phases: [{ key: 'standard', charges }] };
  const { body } = await client.send({ method: 'POST', path: `${plan}/versions`, body: draft });
  const { version } = body as { readonly version: number };
  await client.send({ method: 'POST', path: `${plan}/versions/${version}/publish` });
  for (const customer of Object.keys(catalogue.customers))
    await client.send({
      method: 'POST',
      path: `/v1/customers/${encodeURIComponent(customer)}/subscriptions`,
      body: { plan: PLAN.key, version, startAt: month.from, anchor: month.to },
    });
}
