import { expect } from 'chai';
import { toWarehouseRow } from '#infra/warehouse/event-row.ts';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { toHex } from '#domain/metering/hash128.ts';
import type { WithWarehouse } from './suite.ts';
import { ask, at, eventRow, MARCH, NOON, total } from './rows.ts';

export function exactViewContract(withWarehouse: WithWarehouse): void {
  describe('the exact view', () => {
    it(
      'shows an event once, however often it was appended, with its least publish time',
      withWarehouse(async (warehouse) => {
        await warehouse.appendEvents([eventRow('e-1', { publishedAt: NOON + 9 }), eventRow('e-2')]);
        await warehouse.appendEvents([eventRow('e-1', { publishedAt: NOON + 7 }), eventRow('e-2')]);
        await warehouse.appendEvents([eventRow('e-1', { publishedAt: NOON + 8 })]);
        const rows = await ask(warehouse, 'events_exact');
        expect(rows.map(({ id, published_at }) => [id, published_at]).toSorted()).to.deep.equal([
          ['e-1', at(NOON + 7)],
          ['e-2', at(NOON + 1_000)],
        ]);
        expect(await total(warehouse)).to.equal('20');
      }),
    );

    it(
      'never counts a conflict',
      withWarehouse(async (warehouse) => {
        const conflict = eventRow('e-1', { outcome: 'conflict', data: '{"tokens":99}', publishedAt: NOON });
        await warehouse.appendEvents([conflict, eventRow('e-1'), conflict]);
        expect(await total(warehouse)).to.equal('10');
        expect(await ask(warehouse, 'outcomes')).to.deep.equal([
          { outcome: 'accepted', rows: 1 },
          { outcome: 'conflict', rows: 2 },
        ]);
      }),
    );

    it(
      'drops an event with its void and shows it again with its restore, in whatever order they are appended',
      withWarehouse(async (warehouse) => {
        const event = eventRow('e-1');
        const voided = { ...event, outcome: 'void', data: null, committedAt: NOON + 5_000 } as const;
        const restored = { ...voided, outcome: 'restored', committedAt: NOON + 6_000 } as const;
        await warehouse.appendEvents([voided, eventRow('e-2')]);
        await warehouse.appendEvents([event, voided]);
        expect(await total(warehouse)).to.equal('10');
        await warehouse.appendEvents([restored]);
        expect(await total(warehouse)).to.equal('20');
        await warehouse.appendEvents([{ ...voided, committedAt: NOON + 7_000 }]);
        expect(await total(warehouse)).to.equal('10');
      }),
    );

    it(
      'lets a void take no other event away: not of another subject, day, namespace or identity',
      withWarehouse(async (warehouse) => {
        const event = eventRow('e-1');
        const voided = { ...event, outcome: 'void', committedAt: NOON + 5_000 } as const;
        await warehouse.appendEvents([
          event,
          { ...voided, subject: 'other' },
          { ...voided, time: NOON + MICROS_PER_DAY },
          { ...voided, namespace: 'sandbox' },
          { ...eventRow('e-2'), outcome: 'void', committedAt: NOON + 5_000 },
        ]);
        expect(await total(warehouse)).to.equal('10');
      }),
    );

    it(
      'finds a void although it lies outside the range or names another type',
      withWarehouse(async (warehouse) => {
        const event = eventRow('e-1');
        await warehouse.appendEvents([
          event,
          { ...event, outcome: 'void', type: 'millrace.void', time: NOON + 60, committedAt: NOON + 5_000 },
        ]);
        const narrow = { from: at(NOON), to: at(NOON + 1), type: 'llm.request' };
        expect(await ask(warehouse, 'events_exact', narrow)).to.deep.equal([]);
      }),
    );

    it(
      'is read in pages that follow each other without gap or overlap',
      withWarehouse(async (warehouse) => {
        const rows = Array.from({ length: 25 }, (_, index) =>
          eventRow(`e-${index}`, { time: NOON + Math.floor(index / 5) }),
        );
        await warehouse.appendEvents([...rows, ...rows]);
        const whole = await ask(warehouse, 'events_exact');
        const paged: unknown[] = [];
        let after = {};
        for (;;) {
          const page = await ask(warehouse, 'events_exact', { ...after, limit: 4 });
          paged.push(...page);
          const last = page.at(-1);
          if (last === undefined) break;
          after = { afterTime: last['time'], afterIdentity: last['identity'] };
        }
        expect(whole).to.have.length(25);
        expect(paged).to.deep.equal(whole);
      }),
    );

    it(
      'finds one event by its identity, and offers its data for browsing',
      withWarehouse(async (warehouse) => {
        const row = eventRow('e-7');
        await warehouse.appendEvents([eventRow('e-6'), row, eventRow('e-8')]);
        const parameters = { identity: toHex(row.identity), subjects: ['acme'] };
        expect(await ask(warehouse, 'events', parameters)).to.deep.equal([toWarehouseRow(row)]);
        const [browsed] = await ask(warehouse, 'events_json', parameters);
        expect(JSON.parse(String(browsed?.['data']))).to.deep.equal({ model: 'm1', tokens: 10 });
      }),
    );

    it(
      'is empty where nothing was appended',
      withWarehouse(async (warehouse) => {
        expect(await ask(warehouse, 'events_exact')).to.deep.equal([]);
        expect(await total(warehouse)).to.equal(undefined);
        await warehouse.appendEvents([eventRow('e-1')]);
        expect(
          await ask(warehouse, 'events_exact', { from: MARCH.to, to: '2026-05-01T00:00:00Z' }),
        ).to.deep.equal([]);
      }),
    );
  });
}
