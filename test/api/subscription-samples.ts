import { expect } from 'chai';
import type { TestApi } from '#test/support/api-server.ts';
import type { Samples } from './samples.ts';

const SOLD = {
  currencies: ['USD'],
  phases: [
    {
      key: 'standard',
      charges: [
        { key: 'seats', timing: 'inAdvance', seats: '3', price: { model: 'perUnit', unitPrice: '12.50' } },
        { key: 'base', price: { model: 'flat', amount: '20' } },
      ],
    },
  ],
  addOns: [{ key: 'support', charges: [{ key: 'support', price: { model: 'flat', amount: '5' } }] }],
};
const SUBSCRIPTION = {
  plan: 'sold',
  version: 1,
  quantities: { seats: '5' },
  overrides: { seats: { discount: { percent: '10' } } },
  metadata: { deal: '7' },
};
const AHEAD = '2030-01-01T00:00:00Z';

/** A plan of two versions, and a subscription for each call of one, so that none finds what another left. */
export async function prepareSubscriptions({ call }: TestApi): Promise<Samples> {
  const make = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await call({ method, path, body });
    expect(answer.status, answer.text).to.be.within(200, 299);
    return answer.body;
  };
  await make('PUT', '/v1/plans/sold', { name: 'Sold' });
  for (const version of [1, 2]) {
    await make('POST', '/v1/plans/sold/versions', SOLD);
    await make('POST', `/v1/plans/sold/versions/${version}/publish`);
  }
  await make('PUT', '/v1/customers/subscriber', { name: 'Subscriber', currency: 'USD', seller: 'tokens' });
  const subscribe = async (): Promise<string> => {
    const made = await make('POST', '/v1/customers/subscriber/subscriptions', SUBSCRIPTION);
    return (made as { subscription: { id: string } }).subscription.id;
  };
  const [kept, changed, cancelled, uncancelled, paused, resumed, undone] = [
    await subscribe(),
    await subscribe(),
    await subscribe(),
    await subscribe(),
    await subscribe(),
    await subscribe(),
    await subscribe(),
  ];
  await make('POST', `/v1/subscriptions/${uncancelled}/cancel`, { at: AHEAD });
  await make('POST', `/v1/subscriptions/${resumed}/pause`, { at: 'now', until: AHEAD });
  await make('POST', `/v1/subscriptions/${undone}/change`, { at: AHEAD, addOns: { support: '1' } });
  return {
    createSubscription: { path: { key: 'subscriber' }, body: SUBSCRIPTION },
    listSubscriptions: { path: { key: 'subscriber' }, query: 'limit=2' },
    getSubscription: { path: { id: kept } },
    patchSubscription: { path: { id: kept }, body: { metadata: { deal: null }, spendThreshold: '100' } },
    getSubscriptionSchedule: { path: { id: undone } },
    changeSubscription: { path: { id: changed }, body: { at: 'periodEnd', version: 2 } },
    cancelSubscription: { path: { id: cancelled }, body: { at: 'periodEnd' } },
    uncancelSubscription: { path: { id: uncancelled } },
    pauseSubscription: { path: { id: paused }, body: { at: 'periodEnd', until: AHEAD } },
    resumeSubscription: { path: { id: resumed }, body: { at: 'now' } },
    undoScheduledChange: { path: { id: undone, from: AHEAD } },
    migrateSubscriptions: {
      path: { key: 'sold', version: '2' },
      query: 'preview=true',
      body: { from: 1, at: 'periodEnd' },
    },
  };
}
