import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { CorrectionRequest } from '#domain/corrections/correction.ts';
import { add, negate, toDecimalString, type Quantity } from '#domain/metering/quantity.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import { putFeature } from '#infra/catalogue/features.ts';
import { limitRow } from '#infra/entitlements/tables.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { usageHour } from '#infra/usage/tables.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import { customer, limit, monthly, run } from '#test/infra/entitlements/quota-fixture.ts';
import {
  commit,
  delivery,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  SUM_METER,
  type Stores,
} from '#test/infra/usage/usage-fixture.ts';
import { correct, DAY, foresee } from './correction-fixture.ts';

const METERS = {
  ...SUM_METER,
  calls: { name: 'Calls', eventType: 'use', aggregation: 'count', dimensions: { model: 'm' } },
} as const;

/** What the total cells of the meters sum up to, and count. */
function totals({ database }: Stores): Record<string, Quantity> {
  const sums: Record<string, Quantity> = { tokens: 0, calls: 0 };
  for (const row of database.rows(usageHour)) {
    if (row.view !== 0) continue;
    const { value, count } = unpackHourCell(row.meter === 'tokens' ? 'sum' : 'count', row).totals;
    sums[row.meter] = add(sums[row.meter] ?? 0, row.meter === 'tokens' ? value : count);
  }
  return sums;
}

const used = ({ database }: Stores): string[] =>
  database.rows(limitRow).map((row) => Object.values(row.used).join());

async function prepared(): Promise<Stores> {
  const stores = await openStores(METERS);
  await run(stores.database, (tx) =>
    putFeature(tx, { namespace: NAMESPACE, key: 'tokens', name: 'Tokens', meter: 'tokens', now: NOON }),
  );
  await customer(stores.database, 'acme', ['acme-1']);
  await customer(stores.database, 'bolt', ['bolt-1']);
  await limit(stores.database, [monthly('100')]);
  await commit(
    stores,
    ['3', '4', '0.5'].map((v, i) =>
      delivery({
        id: `e-${i}`,
        subject: i === 2 ? 'bolt-1' : 'acme-1',
        time: `2026-03-${i === 1 ? '09' : '10'}T10:0${i}:00Z`,
        data: { v, m: `m${i}` },
      }),
    ),
  );
  return stores;
}

const WEEK = { from: DAY.from - 6 * MICROS_PER_DAY, to: DAY.to };

const REQUESTS: Readonly<Record<string, CorrectionRequest>> = {
  void: { action: 'void', filter: WEEK },
  'void of some': { action: 'void', filter: { ...WEEK, where: "data.v == '4'" } },
  amend: { action: 'amend', filter: WEEK, change: { multiply: [{ path: 'v', by: '10' }] } },
  'amend to another subject': {
    action: 'amend',
    filter: { ...WEEK, subjects: ['acme-1'] },
    change: { subject: 'bolt-1' },
  },
  restore: { action: 'restore', filter: WEEK },
};

describe('what a correction would do', () => {
  for (const [what, request] of Object.entries(REQUESTS))
    it(`is what it does: ${what}`, async () => {
      const stores = await prepared();
      if (request.action === 'restore') await voidEvent(stores.writer(), nameOf('e-1'));
      const [before, usedBefore] = [totals(stores), used(stores)];
      const seen = await foresee(stores, request);
      expect(totals(stores), 'a preview changes nothing').to.deep.equal(before);
      const done = await correct(stores, request);
      expect(seen.matched).to.equal(done.matched);
      expect(seen.changed).to.equal(done.counts.changed);
      const after = totals(stores);
      const foreseen = Object.fromEntries(
        Object.entries(before).map(([meter, value]) => {
          const change = seen.meters.find((each) => each.meter === meter)?.value ?? 0;
          return [meter, toDecimalString(add(value, change))];
        }),
      );
      expect(foreseen).to.deep.equal(
        Object.fromEntries(Object.entries(after).map(([meter, value]) => [meter, toDecimalString(value)])),
      );
      const [changed] = seen.limits;
      const limitAfter =
        changed === undefined ? usedBefore : [toDecimalString(add(changed.used ?? 0, changed.change))];
      expect(used(stores)).to.deep.equal(limitAfter);
    });

  it('names subjects, customers, cells and closed days', async () => {
    const stores = await prepared();
    await rollDays(stores.database, NAMESPACE, NOON);
    const seen = await foresee(stores, { action: 'void', filter: WEEK });
    expect(seen.subjects).to.deep.equal({
      count: 2,
      first: [
        { name: 'acme-1', events: 2 },
        { name: 'bolt-1', events: 1 },
      ],
    });
    expect(seen.customers.first.map(({ name }) => name)).to.deep.equal(['acme', 'bolt']);
    // Of each event a total and of one meter a group; the two of the tenth are of different subjects.
    expect(seen.cells).to.equal(9);
    expect(seen.closedDays).to.equal(1);
    expect(
      seen.meters.map(({ meter, events, value, isActive }) => [meter, events, value, isActive]),
    ).to.deep.equal([
      ['calls', -3, negate(3), true],
      ['tokens', -3, -7_500_000_000_000_000_000n, true],
    ]);
    expect(seen.invoices).to.deep.equal({ first: [], more: false });
  });

  it('given with the correction, its moment means exactly the events that were seen', async () => {
    const stores = await prepared();
    const request = { action: 'void', filter: WEEK } as const;
    const seen = await foresee(stores, request);
    await commit(stores, [delivery({ id: 'e-9', data: { v: '1', m: 'm1' } })]);
    const done = await correct(stores, { ...request, asOf: seen.asOf } as CorrectionRequest);
    expect(done.matched).to.equal(seen.matched);
  });
});
