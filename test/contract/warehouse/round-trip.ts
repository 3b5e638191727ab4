import { expect } from 'chai';
import { toWarehouseRow } from '#infra/warehouse/event-row.ts';
import type { WithWarehouse } from './suite.ts';
import { ask, eventRow, NOON } from './rows.ts';

/** Values that a careless text format would change. */
const AWKWARD_TEXTS = [
  '',
  ' ',
  '\\N',
  'NULL',
  'null',
  '"quoted"',
  "it's",
  '\\',
  '\\t',
  '# not a comment',
  'a,b;c|d',
  'Zürich/7',
  '日本語',
  '🏭',
  '\u007f\u0085\u2028',
  '$1 $namespace',
  '%s {0}',
  '-',
  '0x10',
  '2026-03-01',
];

export function roundTripContract(withWarehouse: WithWarehouse): void {
  describe('rows', () => {
    it(
      'come back as they went in, whichever way they were appended',
      withWarehouse(async (warehouse) => {
        const row = eventRow('e-1', {
          attributes: '{"traceparent":"00-1"}',
          time: NOON + 123_456,
          publishedAt: NOON + 1,
          matchedMeters: ['tokens@1', 'calls@2'],
        });
        const other = eventRow('e-2', { time: NOON + 123_457 });
        await warehouse.appendEvents([row]);
        await warehouse.append('events', [toWarehouseRow(other)]);
        expect(await ask(warehouse, 'events')).to.deep.equal([toWarehouseRow(row), toWarehouseRow(other)]);
      }),
    );

    it(
      'keep nulls apart from empty strings',
      withWarehouse(async (warehouse) => {
        const row = eventRow('e-1', {
          outcome: 'void',
          digest: null,
          data: null,
          attributes: null,
          publishedAt: null,
          source: '',
          subject: '',
          matchedMeters: [],
        });
        await warehouse.appendEvents([row]);
        await warehouse.append('events', [{ ...toWarehouseRow(row), attributes: '' }]);
        const [first, second] = (await ask(warehouse, 'events')).toSorted(
          (a, b) => Number(b['attributes'] === null) - Number(a['attributes'] === null),
        );
        expect(first).to.deep.equal(toWarehouseRow(row));
        expect(second).to.deep.equal({ ...toWarehouseRow(row), attributes: '' });
      }),
    );

    it(
      'keep any text that has no control character',
      withWarehouse(async (warehouse) => {
        const rows = AWKWARD_TEXTS.map((text, index) =>
          eventRow(text, {
            source: text,
            subject: text,
            type: text,
            time: NOON + index,
            data: JSON.stringify({ text }),
          }),
        );
        await warehouse.appendEvents(rows);
        expect(await ask(warehouse, 'events')).to.deep.equal(rows.map(toWarehouseRow));
        for (const [index, subject] of AWKWARD_TEXTS.entries()) {
          const found = await ask(warehouse, 'events', { subjects: [subject] });
          expect(found.map(({ id }) => id)).to.deep.equal([AWKWARD_TEXTS[index]]);
        }
      }),
    );

    it(
      'of times to the microsecond lie in [from, to)',
      withWarehouse(async (warehouse) => {
        const times = [NOON - 1, NOON, NOON + 1, NOON + 9, NOON + 10];
        await warehouse.appendEvents(times.map((time) => eventRow(`e-${time}`, { time })));
        const range = { from: '2026-03-01T12:00:00Z', to: '2026-03-01T12:00:00.00001Z' };
        expect((await ask(warehouse, 'events', range)).map(({ time }) => time)).to.deep.equal([
          '2026-03-01T12:00:00Z',
          '2026-03-01T12:00:00.000001Z',
          '2026-03-01T12:00:00.000009Z',
        ]);
      }),
    );

    it(
      'of one namespace are not seen in another',
      withWarehouse(async (warehouse) => {
        await warehouse.appendEvents([eventRow('e-1'), eventRow('e-1', { namespace: 'sandbox' })]);
        const rows = await ask(warehouse, 'events', { namespace: 'sandbox' });
        expect(rows.map(({ namespace }) => namespace)).to.deep.equal(['sandbox']);
      }),
    );
  });
}
