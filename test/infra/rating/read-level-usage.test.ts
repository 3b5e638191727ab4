import { expect } from 'chai';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { readChargeUsage } from '#infra/rating/read-charge-usage.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  instant,
  NAMESPACE,
  openStores,
} from '#test/infra/usage/usage-fixture.ts';

const { level, max, count } = ALL_METERS as Record<'level' | 'max' | 'count', MeterDefinition>;

describe('usage of a level in a period that a price by date cuts', () => {
  it('is of each segment the part of the period that it was measured in, and of what adds up all that was used', async () => {
    const stores = await openStores({ level, max, count });
    const time = '2026-03-07T00:00:00Z';
    const publishTime = instant('2026-03-10T12:00:00Z');
    await commit(stores, [delivery({ id: 'held', time, publishTime, data: { v: '40' } })]);
    const peak = { id: 'peak', time: '2026-03-10T00:00:00Z', publishTime, data: { v: '12' } };
    const taken = { id: 'taken', time: peak.time, publishTime, data: { v: '-12' } };
    await commit(stores, [delivery(peak), delivery(taken)]);
    const price = { model: 'perUnit', unitPrice: '1' } as const;
    const rates = [{ from: '2026-03-09', price: { model: 'perUnit', unitPrice: '2' } as const }];
    const request = {
      namespace: NAMESPACE,
      subjects: [{ subject: 'acme', intervals: [{ from: 0, to: null }] }],
      charges: ['level', 'max', 'count'].map((meter) => ({ key: meter, meter, price, rates })),
      period: { from: instant('2026-03-08T00:00:00Z'), to: instant('2026-03-12T00:00:00Z') },
      timezone: 'UTC',
    };
    const { measured } = await inSnapshot(stores.database, (snapshot) => readChargeUsage(snapshot, request));
    const quantities = (key: string) =>
      measured.get(key)?.map((usage) => ('quantity' in usage ? usage.quantity.toString() : usage));
    expect(quantities('level')).to.deep.equal(['10', '30']);
    // A peak of 12 in the later three of four days.
    expect(quantities('max')).to.deep.equal(['0', '9']);
    expect(quantities('count')).to.deep.equal(['0', '2']);
  });
});
