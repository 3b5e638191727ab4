import type { MeterDefinition } from '#domain/metering/meter.ts';

/** An event type that no meter counts: its events are accepted and visible all the same. */
export const UNMETERED_TYPE = 'audit.note';
export const METERED_TYPES = ['llm.request', 'llm.request', 'storage.level'];

const request = { eventType: 'llm.request' } as const;

/** Every aggregation, with and without dimensions, and a filter. */
export const REFERENCE_METERS: Readonly<Record<string, MeterDefinition>> = {
  requests: { ...request, name: 'Requests', aggregation: 'count' },
  'requests-by-model': {
    ...request,
    name: 'Requests by model and region',
    aggregation: 'count',
    dimensions: { model: 'model', region: 'region' },
  },
  tokens: { ...request, name: 'Tokens', aggregation: 'sum', value: 'tokens', dimensions: { model: 'model' } },
  'paid-tokens': {
    ...request,
    name: 'Paid tokens',
    aggregation: 'sum',
    value: 'tokens',
    filter: "data.model == 'm1'",
  },
  cost: { ...request, name: 'Cost', aggregation: 'sum', value: 'cost' },
  quickest: { ...request, name: 'Quickest', aggregation: 'min', value: 'latency' },
  slowest: {
    ...request,
    name: 'Slowest',
    aggregation: 'max',
    value: 'latency',
    dimensions: { region: 'region' },
  },
  'mean-latency': { ...request, name: 'Mean latency', aggregation: 'average', value: 'latency' },
  users: { ...request, name: 'Users', aggregation: 'unique', value: 'user' },
  'users-by-model': {
    ...request,
    name: 'Users by model',
    aggregation: 'unique',
    value: 'user',
    dimensions: { model: 'model' },
  },
  'newest-tokens': { ...request, name: 'Tokens of the newest', aggregation: 'latest', value: 'tokens' },
  storage: { eventType: 'storage.level', name: 'Storage', aggregation: 'timeWeightedSum', value: 'gb' },
  'storage-changes': { eventType: 'storage.level', name: 'Changes of storage', aggregation: 'count' },
};

/** The one filter above, said again in TypeScript for the independent count. */
export const referenceFilter = (meter: string, data: Readonly<Record<string, string>>): boolean =>
  meter !== 'paid-tokens' || data['model'] === '"m1"';
