import { lastBillableMidnight, monthUntil } from '#pipelines/demo/billing-month.ts';
import { plannedEvent, type DataSet, type Fact, type Planned } from '#pipelines/demo/data-set.ts';

/** An event of the customer `acme`, unless it is said otherwise. */
export const factOf = (id: string, more: Partial<Fact> = {}): Fact => ({
  source: 'urn:test',
  id,
  type: 'llm.request',
  subject: 'acme',
  time: new Date().toISOString(),
  data: { tokens: 7 },
  ...more,
});

export const rejectedMessage: Planned = { way: 'http', text: '{"tokens":', reason: 'malformed_json' };

export function dataSetOf(facts: readonly Fact[], others: readonly Planned[] = []): DataSet {
  const limit = { key: 'monthly', amount: '1000', period: { every: 'P1M' }, overage: 'hard' as const };
  return {
    title: 'a test',
    catalogue: {
      meters: {
        tokens: { name: 'Tokens', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' },
      },
      features: { tokens: { name: 'Tokens', meter: 'tokens' } },
      customers: { acme: { name: 'Acme', subjects: ['acme'], limits: { tokens: [limit] } } },
    },
    charges: {
      currency: 'USD',
      charges: [
        { key: 'tokens', name: 'Tokens', meter: 'tokens', price: { model: 'perUnit', unitPrice: '0.01' } },
      ],
    },
    seller: { name: 'Seller', taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }] },
    month: monthUntil(lastBillableMidnight(Date.now())),
    storyLimit: { customer: 'acme', feature: 'tokens' },
    planned: [...facts.map(plannedEvent), ...others],
    from: new Date(Date.now() - 60_000).toISOString(),
    to: new Date(Date.now() + 60_000).toISOString(),
  };
}
