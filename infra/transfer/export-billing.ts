import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Terms } from '#domain/subscriptions/subscription.ts';
import { withoutLinesOf } from '#infra/invoicing/billed-items.ts';
import { billedItem, invoice, numberSeries, type BilledItemRow } from '#infra/invoicing/tables.ts';
import type { Reads } from '#infra/database/database.ts';
import { plan, planVersion } from '#infra/plans/tables.ts';
import { subscription } from '#infra/subscriptions/tables.ts';
import type { WrittenRecord } from './format.ts';
import { timeOrNull, writtenAnchor } from './line-fields.ts';
import type { WrittenDefinition } from './plan-lines.ts';

type Records = AsyncGenerator<WrittenRecord, void, undefined>;

/** Plans, all of them before the first version. */
export async function* plans(from: Reads, namespace: string): Records {
  for await (const { key, name, createdAt, archivedAt } of from.scan(plan, { prefix: [namespace] }))
    yield {
      kind: 'plan',
      key,
      name,
      createdAt: formatInstant(createdAt),
      archivedAt: timeOrNull(archivedAt),
    };
  for await (const row of from.scan(planVersion, { prefix: [namespace] })) {
    const { plan: of, version, createdAt, updatedAt, publishedAt, archivedAt } = row;
    yield {
      kind: 'planVersion',
      plan: of,
      version,
      state: row.state as 'draft',
      definition: row.definition as WrittenDefinition,
      createdAt: formatInstant(createdAt),
      updatedAt: formatInstant(updatedAt),
      publishedAt: timeOrNull(publishedAt),
      archivedAt: timeOrNull(archivedAt),
    };
  }
}

/** Where numbers go on, and what is on documents: before the subscriptions that it is of. */
export async function* billed(from: Reads, namespace: string): Records {
  for await (const { seller, series, year, next } of from.scan(numberSeries, { prefix: [namespace] }))
    yield { kind: 'numberSeries', seller, series, year, next };
  let rows: BilledItemRow[] = [];
  for await (const row of from.scan(billedItem, { prefix: [namespace] })) {
    rows.push(row);
    if (rows.length < ITEMS_AT_ONCE) continue;
    yield* settled(from, rows);
    rows = [];
  }
  yield* settled(from, rows);
}

/** Items whose invoices are looked up together. */
const ITEMS_AT_ONCE = 500;

/** What has no number yet is no document: it stays where it is, and what is on it is due again in the new place. */
async function* settled(from: Reads, rows: readonly BilledItemRow[]): Records {
  const ids = new Set(rows.flatMap(({ lines }) => lines.map((line) => line.invoice)));
  // An import's own invoices are elsewhere: what was brought along once is brought along again.
  const keys = [...ids].map((id) => [rows[0]?.namespace ?? '', id]);
  const invoices = keys.length === 0 ? [] : await from.read(invoice, keys);
  const open = new Set(invoices.flatMap((row) => (row !== undefined && row.number === null ? [row.id] : [])));
  for (const row of rows) {
    const kept = withoutLinesOf(row, (id) => open.has(id));
    if (kept !== undefined) yield billedRecord(kept);
  }
}

const billedRecord = (row: BilledItemRow): WrittenRecord => ({
  kind: 'billedItem',
  subscription: row.subscription,
  periodFrom: formatInstant(row.periodFrom),
  item: row.item,
  itemKind: row.kind as 'usage',
  periodTo: formatInstant(row.periodTo),
  through: formatInstant(row.through),
  itemHash: row.itemHash,
  lines: row.lines.map(({ period, dimensions, taxes, ...line }) => ({
    ...line,
    period: { from: formatInstant(period.from), to: formatInstant(period.to) },
    ...(dimensions === undefined ? {} : { dimensions: { ...dimensions } }),
    taxes: [...taxes],
  })),
});

export async function* subscriptions(from: Reads, namespace: string): Records {
  for await (const { namespace: _, ...row } of from.scan(subscription, { prefix: [namespace] })) {
    const [first, ...later] = row.terms;
    yield {
      kind: 'subscription',
      ...row,
      startAt: formatInstant(row.startAt),
      endAt: timeOrNull(row.endAt),
      terms: [writtenTerms(first), ...later.map(writtenTerms)],
      createdAt: formatInstant(row.createdAt),
      updatedAt: formatInstant(row.updatedAt),
    };
  }
}

type SubscriptionRecord = WrittenRecord & { readonly kind: 'subscription' };

const writtenTerms = ({ from, phasesFrom, anchor, ...terms }: Terms) =>
  ({
    ...terms,
    from: formatInstant(from),
    phasesFrom: formatInstant(phasesFrom),
    anchor: writtenAnchor(anchor),
  }) as SubscriptionRecord['terms'][0];
