import type { Catalogue } from '#domain/metering/catalogue.ts';
import type { Delivery } from './delivery.ts';

/** The rows of one commit, before folding: what one transaction of the embedded store can hold in memory. */
export const ROWS_PER_COMMIT_MAX = 100_000;

/**
 * The same for a store that takes 60,000 mutations a commit, one a column: a cell has 12 columns, and of a day that is closed its day row
 * is written too.
 */
export const ROWS_PER_COUNTED_COMMIT_MAX = 2_000;

/**
 * The deliveries in runs that each stay within the bound, whatever their events match: an event of a type with 200 meters with dimensions
 * may write 401 rows, so 249 of them share a commit. A single event may exceed the bound alone, and then stands alone.
 */
export function splitByRows(
  catalogueOf: (namespace: string) => Catalogue,
  deliveries: readonly Delivery[],
  rowsMax = ROWS_PER_COMMIT_MAX,
): readonly (readonly Delivery[])[] {
  const rowsOf = rowCounter(catalogueOf);
  const runs: (readonly Delivery[])[] = [];
  let from = 0;
  let rows = 0;
  for (let at = 0; at < deliveries.length; at++) {
    const more = rowsOf(deliveries[at] as Delivery);
    if (at > from && rows + more > rowsMax) {
      runs.push(deliveries.slice(from, at));
      [from, rows] = [at, 0];
    }
    rows += more;
  }
  // Mostly all of them share one commit.
  if (from === 0) return deliveries.length === 0 ? [] : [deliveries];
  return [...runs, deliveries.slice(from)];
}

/** Counts what a delivery may write; each type of a namespace is looked at once. */
function rowCounter(catalogueOf: (namespace: string) => Catalogue): (delivery: Delivery) => number {
  const known = new Map<string, Map<string, number>>();
  return ({ namespace, event }) => {
    if (event === undefined) return 1;
    let rowsOfType = known.get(namespace);
    if (rowsOfType === undefined) known.set(namespace, (rowsOfType = new Map<string, number>()));
    let rows = rowsOfType.get(event.type);
    if (rows === undefined) {
      const meters = catalogueOf(namespace).byType.get(event.type) ?? [];
      rows = meters.reduce((sum, meter) => sum + rowsOfMeter(meter), 1);
      rowsOfType.set(event.type, rows);
    }
    return rows;
  };
}

/** The total, the group where there are dimensions, and the distinct value of a `unique` meter. */
const rowsOfMeter = ({
  dimensions,
  aggregation,
}: {
  dimensions: readonly unknown[];
  aggregation: string;
}): number => 1 + (dimensions.length > 0 ? 1 : 0) + (aggregation === 'unique' ? 1 : 0);
