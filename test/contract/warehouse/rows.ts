import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import type { Instant } from '#domain/instant.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { QueryParameters, Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';

export function instant(text: string): Instant {
  const parsed = parseRfc3339(text);
  if (parsed === undefined) throw new RangeError(`no time: ${text}`);
  return parsed.at;
}

export const NOON = instant('2026-03-01T12:00:00Z');
export const MARCH = { namespace: 'default', from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };

/** An accepted event; its identity follows from namespace, source and id. */
export function eventRow(id: string, given: Partial<EventRow> = {}): EventRow {
  const { namespace = 'default', source = 'urn:svc:chat' } = given;
  const identity = identityOf(namespace, source, id);
  return {
    identity,
    digest: fromHex('00000000000000000000000000000001'),
    outcome: 'accepted',
    namespace,
    id,
    source,
    type: 'llm.request',
    subject: 'acme',
    time: NOON,
    data: '{"model":"m1","tokens":10}',
    attributes: null,
    publishedAt: NOON + 1_000,
    committedAt: NOON + 2_000,
    catalogueVersion: 3,
    matchedMeters: ['tokens@1'],
    ...given,
  };
}

export async function ask(
  warehouse: Warehouse,
  query: string,
  parameters: QueryParameters = {},
): Promise<WarehouseRow[]> {
  const rows: WarehouseRow[] = [];
  for await (const row of warehouse.query(query, { ...MARCH, ...parameters })) rows.push(row);
  return rows;
}

/** Usage of the meter `tokens@1`, its value at `tokens`, in March 2026. */
export function usage(warehouse: Warehouse, parameters: QueryParameters = {}): Promise<WarehouseRow[]> {
  const value: QueryParameters = parameters['aggregation'] === 'count' ? {} : { value: 'tokens' };
  return ask(warehouse, 'usage_by_window', {
    meter: 'tokens@1',
    aggregation: 'sum',
    ...value,
    ...parameters,
  });
}

/** The one value of a question without windows or groups; undefined where there is no usage. */
export async function total(warehouse: Warehouse, parameters: QueryParameters = {}): Promise<unknown> {
  const rows = await usage(warehouse, parameters);
  return rows[0]?.['value'];
}

export const at = (time: Instant): string => formatInstant(time);

/** The error that a promise is rejected with. */
export const failureOf = (promise: Promise<unknown>): Promise<Error | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error,
  );
