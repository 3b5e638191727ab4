import { expect } from 'chai';
import { QueryRefused, RowRefused, type RefusedValueReason } from '#infra/warehouse/errors.ts';
import { toWarehouseRow, type EventRow } from '#infra/warehouse/event-row.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';
import type { WithWarehouse } from './suite.ts';
import { ask, eventRow, failureOf } from './rows.ts';

const REFUSED_ROWS: readonly (readonly [string, WarehouseRow, RefusedValueReason])[] = [
  ['subject', { subject: 'a\tb' }, 'control_character'],
  ['data', { data: '{"a":"\n"}' }, 'control_character'],
  ['source', { source: '\u0001' }, 'control_character'],
  ['id', { id: 'half \ud83c' }, 'lone_surrogate'],
  ['identity', { identity: 'E788bbf0ec7c0aa80738a96dec5d34a1' }, 'not_a_hash'],
  ['time', { time: '2026-02-30T00:00:00Z' }, 'not_a_time'],
  ['outcome', { outcome: 'counted' }, 'not_one_of'],
  ['type', { type: null }, 'value_missing'],
  ['catalogue_version', { catalogue_version: 1.5 }, 'wrong_type'],
  ['colour', { colour: 'red' }, 'unknown_column'],
];

const REFUSED_EVENTS: readonly (readonly [string, Partial<EventRow>, RefusedValueReason])[] = [
  ['subject', { subject: 'a\tb' }, 'control_character'],
  ['data', { data: '{"a":"\n"}' }, 'control_character'],
  ['id', { id: '\u0000' }, 'control_character'],
  ['id', { id: 'half \udf6d' }, 'lone_surrogate'],
  ['identity', { identity: 'short' }, 'not_a_hash'],
  ['digest', { digest: '\u0100'.repeat(16) }, 'not_a_hash'],
  ['time', { time: 0.5 }, 'not_a_time'],
];

export function refusalContract(withWarehouse: WithWarehouse): void {
  describe('refusals', () => {
    it(
      'name the row, the column and the reason, and nothing of their call is appended',
      withWarehouse(async (warehouse) => {
        const good = toWarehouseRow(eventRow('e-1'));
        for (const [column, given, reason] of REFUSED_ROWS) {
          const error = await failureOf(warehouse.append('events', [good, { ...good, ...given }, good]));
          expect(error, column).to.be.instanceOf(RowRefused);
          expect(error, column).to.include({ table: 'events', rowIndex: 1, column, reason });
        }
        for (const [column, given, reason] of REFUSED_EVENTS) {
          const error = await failureOf(warehouse.appendEvents([eventRow('e-1'), eventRow('e-2', given)]));
          expect(error, column).to.be.instanceOf(RowRefused);
          expect(error, column).to.include({ rowIndex: 1, column, reason });
        }
        expect(await ask(warehouse, 'events')).to.deep.equal([]);
        await warehouse.append('events', [good]);
        expect(await ask(warehouse, 'events')).to.have.length(1);
      }),
    );

    it(
      'meet questions that do not exist or are asked wrongly',
      withWarehouse(async (warehouse) => {
        const usage = { aggregation: 'sum', value: 'tokens' };
        const wrong: readonly (readonly [string, Record<string, never> | object])[] = [
          ['events; DROP TABLE events', {}],
          ['events', { namespace: null }],
          ['events', { from: 'yesterday' }],
          ['events', { to: '2026-03-01T00:00:00Z' }],
          ['events', { subjects: [] }],
          ['events', { subjects: 'acme' }],
          ['events', { limit: 0 }],
          ['events', { limit: 1_000_001 }],
          ['events', { limitt: 1 }],
          ['events_exact', { afterIdentity: '00000000000000000000000000000001' }],
          ['events_exact', { identity: "' OR 1 = 1" }],
          ['usage_by_window', { ...usage, aggregation: 'sum(' }],
          ['usage_by_window', { ...usage, window: 'week' }],
          ['usage_by_window', { ...usage, value: 'a..b' }],
          ['usage_by_window', { aggregation: 'sum' }],
          [
            'usage_by_window',
            { ...usage, dimensions: Array.from({ length: 11 }, (_, index) => `d${index}`) },
          ],
        ];
        for (const [query, parameters] of wrong) {
          const error = await failureOf(ask(warehouse, query, parameters as Record<string, null>));
          expect(error, `${query} ${JSON.stringify(parameters)}`).to.be.instanceOf(QueryRefused);
        }
      }),
    );

    it(
      'need no quoting of parameters: they are values and never SQL',
      withWarehouse(async (warehouse) => {
        const subject = `x' OR '1' = '1`;
        await warehouse.appendEvents([eventRow('e-1'), eventRow('e-2', { subject })]);
        const rows = await ask(warehouse, 'events_exact', { subjects: [subject] });
        expect(rows.map(({ id }) => id)).to.deep.equal(['e-2']);
      }),
    );
  });
}
