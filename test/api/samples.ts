import { expect } from 'chai';
import { systemScheduler } from '#infra/scheduler.ts';
import { deadLetterRow } from '#infra/usage/dead-letter-row.ts';
import { deadLetter } from '#infra/usage/tables.ts';
import type { TestApi } from '#test/support/api-server.ts';
import { prepareCorrections } from './correction-samples.ts';
import { prepareInvoices } from './invoice-samples.ts';
import { prepareReconciliations } from './reconciliation-samples.ts';
import { prepareSubscriptions } from './subscription-samples.ts';

/** A valid call of one operation, in a namespace that `prepareSamples` has filled. */
export interface Sample {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Samples = Readonly<Record<string, Sample>>;

const METER = {
  name: 'Tokens',
  eventType: 'llm.request',
  aggregation: 'sum',
  value: 'tokens',
  dimensions: { model: 'model' },
};
const EVENT = {
  specversion: '1.0',
  id: 'e-1',
  source: 'urn:sample',
  type: 'llm.request',
  subject: 'acme',
  data: { tokens: 5, model: 'm1' },
};
const LIMITS = { limits: [{ key: 'monthly', amount: '1000', period: { every: 'P1M' }, overage: 'hard' }] };
const PLAN_VERSION = {
  currencies: ['USD', 'EUR'],
  phases: [
    { key: 'trial', duration: 'P14D', charges: [] },
    {
      key: 'standard',
      charges: [
        {
          key: 'seats',
          timing: 'inAdvance',
          seats: '3',
          price: { model: 'perUnit', unitPrice: '12.50' },
          inCurrency: { EUR: { price: { model: 'perUnit', unitPrice: 11.5 } } },
        },
        {
          key: 'tokens',
          meter: 'tokens',
          price: { model: 'percentage', percent: '3' },
          taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: 19 }],
        },
      ],
    },
  ],
  addOns: [{ key: 'support', charges: [{ key: 'support', price: { model: 'flat', amount: '0' } }] }],
  minimum: { amount: { USD: '20', EUR: '18' }, overageFactor: '1.5' },
};
const RANGE = 'from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z';
const RESERVATION = { feature: 'tokens', amount: '10', ttlSeconds: 60 };

/** What is ended by one call has a name of its own, so that the others find theirs. */
const SAMPLE_KEYS = ['tokens', 'ending'] as const;

/**
 * Fills the namespace `default` and gives one valid call for every operation of the API, by its id. Calls that end something end things
 * of their own.
 */
export async function prepareSamples(on: TestApi): Promise<Samples> {
  const [keyId, endedKeyId] = [await makeKeyId(on), await makeKeyId(on)];
  for (const key of SAMPLE_KEYS) {
    await make(on, 'PUT', `/v1/meters/${key}`, METER);
    await make(on, 'PUT', `/v1/features/${key}`, { name: key, ...(key === 'tokens' ? { meter: key } : {}) });
    await make(on, 'PUT', `/v1/customers/${key}`, { name: key, subjects: [key] });
    await make(on, 'PUT', `/v1/sellers/${key}`, { name: key });
  }
  await make(on, 'PUT', '/v1/meters/versioned', METER);
  await make(on, 'PUT', '/v1/meters/versioned', { ...METER, aggregation: 'max' });
  await make(on, 'PUT', '/v1/meters/reverted', METER);
  await make(on, 'PUT', '/v1/meters/reverted', { ...METER, aggregation: 'max' });
  await make(on, 'POST', '/v1/meters/reverted/versions/2/activate', { partial: true });
  for (const key of SAMPLE_KEYS) await make(on, 'PUT', `/v1/customers/${key}/limits/tokens`, LIMITS);
  for (const key of ['pro', 'withdrawn']) await make(on, 'PUT', `/v1/plans/${key}`, { name: key });
  for (let count = 0; count < 4; count++) await make(on, 'POST', '/v1/plans/pro/versions', PLAN_VERSION);
  await make(on, 'POST', '/v1/plans/pro/versions/1/publish', undefined);
  await make(on, 'PUT', '/v1/event-types/known.type', { schema: { type: 'object' }, enforce: 'report' });
  await refuseOneMessage(on);
  const [held, settled, released, extended] = await Promise.all(
    ['held', 'settled', 'released', 'extended'].map((id) => reserve(on, id)),
  );
  const subscriptions = await prepareSubscriptions(on);
  const invoices = await prepareInvoices(on);
  const corrections = await prepareCorrections(on);
  const reconciliations = await prepareReconciliations(on);
  return {
    ...corrections,
    ...reconciliations,
    createApiKey: { body: { name: 'another', scopes: ['usage:read'] } },
    listApiKeys: { query: 'limit=2' },
    getApiKey: { path: { id: keyId } },
    rotateApiKey: { path: { id: keyId }, body: { overlapSeconds: 60 } },
    revokeApiKey: { path: { id: endedKeyId } },

    putMeter: { path: { key: 'tokens' }, body: METER },
    getMeter: { path: { key: 'tokens' } },
    listMeters: { query: 'limit=1' },
    activateMeterVersion: { path: { key: 'versioned', version: '2' }, body: { partial: true } },
    revertMeterVersion: { path: { key: 'reverted', version: '2' } },
    archiveMeter: { path: { key: 'ending' } },

    putFeature: { path: { key: 'tokens' }, body: { name: 'Tokens', meter: 'tokens', unit: 'token' } },
    getFeature: { path: { key: 'tokens' } },
    listFeatures: {},
    archiveFeature: { path: { key: 'ending' } },

    putCustomer: {
      path: { key: 'tokens' },
      body: { name: 'Tokens', subjects: ['tokens'], seller: 'tokens', netTermDays: 14, taxRates: [] },
    },
    patchCustomer: { path: { key: 'tokens' }, body: { metadata: { tier: 'gold' } } },
    getCustomer: { path: { key: 'tokens' } },
    listCustomers: {},
    archiveCustomer: { path: { key: 'ending' } },
    putSeller: {
      path: { key: 'tokens' },
      body: {
        name: 'Seller',
        address: { line1: 'Torstraße 1', city: 'Berlin', country: 'DE' },
        ids: [{ scheme: 'vat', id: 'DE123456789' }],
        taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
        numbering: { prefix: 'S-', timezone: 'Europe/Berlin' },
      },
    },
    getSeller: { path: { key: 'tokens' } },
    listSellers: { query: 'limit=1' },
    archiveSeller: { path: { key: 'ending' } },
    getSubject: { path: { subject: 'tokens' } },
    moveSubject: { path: { subject: 'tokens' }, body: { to: 'tokens', from: '2026-01-01T00:00:00Z' } },

    putLimits: { path: { key: 'tokens', feature: 'tokens' }, body: LIMITS },
    getLimits: { path: { key: 'tokens', feature: 'tokens' } },
    deleteLimits: { path: { key: 'ending', feature: 'tokens' } },
    getEntitlements: { path: { key: 'tokens' } },
    getEntitlement: { path: { key: 'tokens', feature: 'tokens' }, query: 'amount=1' },
    checkEntitlements: { body: { checks: [{ customer: 'tokens', feature: 'tokens', amount: '1' }] } },
    createReservation: {
      path: { key: 'tokens' },
      body: { ...RESERVATION, event: { source: 's', id: 'new' } },
    },
    getReservation: { path: { id: held! } },
    settleReservation: { path: { id: settled! }, body: { actual: '3' } },
    releaseReservation: { path: { id: released! } },
    extendReservation: { path: { id: extended! }, body: { ttlSeconds: 120 } },

    listDeadLetters: { query: 'reason=value_missing&limit=1' },
    getDeadLetter: { path: { id: LETTER_ID } },
    replayDeadLetters: { body: { matching: { reason: 'value_missing' } } },
    dismissDeadLetters: { body: { ids: [LETTER_ID] } },

    lookupEvent: { query: 'source=urn:sample&id=e-1' },
    voidEvent: { body: { source: 'urn:sample', id: 'void', reason: 'sent by mistake' } },
    amendEvent: {
      body: { source: 'urn:sample', id: 'old', reason: 'wrong amount', event: { ...EVENT, id: 'amended' } },
    },
    restoreEvent: { body: { source: 'urn:sample', id: 'void', reason: 'it was right' } },
    putEventType: { path: { type: 'llm.request' }, body: { schema: { type: 'object' }, enforce: 'report' } },
    getEventType: { path: { type: 'known.type' } },
    listEventTypes: {},

    postEvents: { body: EVENT, headers: { 'content-type': 'application/cloudevents+json' } },
    getUsage: { query: `meter=tokens&subject=acme&${RANGE}&window=hour` },
    evaluateUsage: {
      body: {
        meter: METER,
        events: [EVENT],
        query: { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' },
      },
    },

    evaluateCharges: {
      path: { key: 'tokens' },
      body: {
        charges: [
          {
            key: 'tokens',
            meter: 'tokens',
            price: {
              model: 'graduated',
              tiers: [
                { upTo: '1000', unitPrice: '0.02' },
                { upTo: null, unitPrice: '0.01', flatFee: '5' },
              ],
            },
          },
          { key: 'support', price: { model: 'flat', amount: '50' } },
        ],
        from: '2026-03-01T00:00:00Z',
        to: '2026-04-01T00:00:00Z',
        currency: 'USD',
      },
    },
    evaluatePrice: {
      body: {
        currency: 'USD',
        charge: { key: 'tokens', price: { model: 'package', size: '1000', price: '8' }, minimum: '20' },
        usage: { quantity: '2500' },
        before: { quantity: '500', amount: '8' },
        segment: 'last',
      },
    },
    priceCurve: {
      body: {
        currency: 'USD',
        charge: { price: { model: 'perUnit', unitPrice: '0.02' }, maximum: '75' },
        to: '10000',
        steps: 10,
      },
    },
    putPlan: { path: { key: 'pro' }, body: { name: 'Pro' } },
    getPlan: { path: { key: 'pro' } },
    listPlans: {},
    archivePlan: { path: { key: 'withdrawn' } },
    createPlanVersion: { path: { key: 'pro' }, query: 'preview=true', body: PLAN_VERSION },
    listPlanVersions: { path: { key: 'pro' } },
    getPlanVersion: { path: { key: 'pro', version: '1' } },
    replacePlanDraft: { path: { key: 'pro', version: '2' }, body: PLAN_VERSION },
    publishPlanVersion: { path: { key: 'pro', version: '3' } },
    archivePlanVersion: { path: { key: 'pro', version: '4' } },
    ...subscriptions,
    ...invoices,
    getPlanCompatibility: { path: { key: 'pro', version: '1' }, query: 'version=2' },

    evaluatePeriods: {
      body: {
        anchor: { day: 31 },
        cadence: 'P1M',
        start: '2026-01-10T00:00:00Z',
        timezone: 'Europe/Berlin',
        until: '2026-03-31T00:00:00Z',
        proration: 'day',
      },
    },

    getStatus: {},
    getHealth: {},
    getReadiness: {},
    getMetrics: {},
    getOpenApi: {},
    getDocumentation: {},
    getDocumentationScript: {},
    getDocumentationAsset: { path: { asset: 'swagger-ui.css' } },
    getProblems: {},
  };
}

const LETTER_ID = 'api:m-1';

/** As the commit leaves it: an event whose value was missing. */
async function refuseOneMessage({ stores }: TestApi): Promise<void> {
  const bytes = Buffer.from(JSON.stringify({ ...EVENT, data: {} }));
  const message = { id: 'm-1', data: bytes, attributes: {}, publishTime: 1, attempt: 1, ackId: '' };
  const known = { id: 'e-1', source: 'urn:sample', type: 'llm.request', subject: 'acme' };
  const refusal = { reason: 'value_missing', detail: 'there is no tokens in data' } as const;
  const delivery = { message, namespace: 'default', refusal, known };
  const row = deadLetterRow({ feed: 'api', receivedAt: systemScheduler.now() }, { delivery, refusal });
  await stores.database.transact(async (tx) => tx.upsert(deadLetter, row));
}

async function make({ call }: TestApi, method: string, path: string, body: unknown): Promise<unknown> {
  const made = await call({ method, path, body });
  expect(made.status, `${method} ${path}: ${made.text}`).to.be.within(200, 299);
  return made.body;
}

async function makeKeyId(on: TestApi): Promise<string> {
  const made = await make(on, 'POST', '/v1/api-keys', { name: 'sample', scopes: ['usage:read'] });
  return (made as { id: string }).id;
}

async function reserve(on: TestApi, id: string): Promise<string> {
  const body = { ...RESERVATION, event: { source: 'urn:sample', id } };
  return ((await make(on, 'POST', '/v1/customers/tokens/reservations', body)) as { id: string }).id;
}

/** The path of an operation with its parameters filled in. */
export const pathOf = (template: string, { path = {}, query }: Sample): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? '')) +
  (query === undefined ? '' : `?${query}`);
