import type { CatalogueFile, CatalogueFileLimit } from '#infra/catalogue/catalogue-file.ts';
import type { ApiClient } from './api-client.ts';

const pathOf = (...parts: readonly string[]): string => `/v1/${parts.map(encodeURIComponent).join('/')}`;

/**
 * Makes meters, features, customers and their limits as a user would. Periods of limits begin at `anchor`, when no event has happened
 * yet: so all usage lies in the first period, whatever the date is.
 */
export async function putCatalogue(
  client: ApiClient,
  { meters, features, customers }: CatalogueFile,
  anchor: string,
): Promise<void> {
  const put = (path: string, body: object) => client.send({ method: 'PUT', path, body });
  for (const [key, meter] of Object.entries(meters)) await put(pathOf('meters', key), meter);
  for (const [key, feature] of Object.entries(features)) await put(pathOf('features', key), feature);
  for (const [key, { limits, ...customer }] of Object.entries(customers)) {
    await put(pathOf('customers', key), customer);
    for (const [feature, own] of Object.entries(limits))
      await put(pathOf('customers', key, 'limits', feature), {
        limits: own.map((limit) => anchored(limit, anchor)),
      });
  }
}

const anchored = (limit: CatalogueFileLimit, anchor: string): CatalogueFileLimit =>
  'every' in limit.period ? { ...limit, period: { anchor, ...limit.period } } : limit;
