import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { QueryRefused, RowRefused, WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import type { Outcome } from '#infra/warehouse/event-row.ts';
import {
  commonWarehouseFaults,
  noWarehouseFaults,
  openHostileWarehouse,
} from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { HostileWarehouse, WarehouseFaults } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { QueryParameters, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { simulate, simulateSeeds, SIMULATION_START } from '#test/support/simulation.ts';
import type { Simulation } from '#test/support/simulation.ts';

const SEEDS = 200;
const SECOND = 1_000_000;

const after = (seconds: number): string => formatInstant(SIMULATION_START + seconds * SECOND);

/** An event whose identity is that number, as it went in at that second. */
function eventRow(identity: number, outcome: Outcome = 'accepted', seconds = 0): WarehouseRow {
  return {
    identity: identity.toString(16).padStart(32, '0'),
    digest: null,
    outcome,
    namespace: 'default',
    id: `${identity}`,
    source: 'urn:test',
    type: 'llm.request',
    subject: 'acme',
    time: after(identity),
    data: '{}',
    attributes: null,
    published_at: after(seconds),
    committed_at: after(seconds),
    catalogue_version: 1,
    matched_meters: ['tokens@1'],
  };
}

const open = (sim: Simulation, faults: WarehouseFaults = noWarehouseFaults): HostileWarehouse =>
  openHostileWarehouse({ schedule: sim, faults });

const calmly = (body: (warehouse: HostileWarehouse, sim: Simulation) => Promise<void>): Promise<void> =>
  simulate(1, (sim) => body(open(sim), sim));

const refusalOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

async function exactRows(
  warehouse: HostileWarehouse,
  parameters: QueryParameters = {},
): Promise<WarehouseRow[]> {
  const rows: WarehouseRow[] = [];
  for await (const row of warehouse.query('events_exact', parameters)) rows.push(row);
  return rows;
}

const exactIds = async (warehouse: HostileWarehouse, parameters: QueryParameters = {}) =>
  (await exactRows(warehouse, parameters)).map((row) => row['id']);

describe('hostile warehouse', () => {
  it('loses no row of an append that is repeated until it succeeds, and the exact view shows each event once', async () => {
    let duplicates = 0;
    await simulateSeeds(SEEDS, async (sim) => {
      const warehouse = open(sim, { ...commonWarehouseFaults, failedAppend: 0.4 });
      const insist = async (rows: readonly WarehouseRow[]): Promise<void> => {
        const refusal = await refusalOf(warehouse.append('events', rows));
        if (refusal === undefined) return;
        expect(refusal).to.be.instanceOf(WarehouseUnavailable);
        return insist(rows);
      };
      const batches = [[1, 2, 3], [4], [5, 6]].map((batch) => batch.map((identity) => eventRow(identity)));
      await Promise.all(batches.map((rows, i) => sim.spawn(`appender ${i}`, () => insist(rows))));
      expect(await exactIds(warehouse)).to.deep.equal(['1', '2', '3', '4', '5', '6']);
      duplicates += warehouse.rows('events').length - 6;
    });
    expect(duplicates).to.be.above(SEEDS / 2);
  });

  it('an append that fails may have taken any number of its first rows', async () => {
    const taken = new Set<number>();
    await simulateSeeds(SEEDS, async (sim) => {
      const warehouse = open(sim, { ...noWarehouseFaults, failedAppend: 1 });
      await refusalOf(warehouse.append('events', [eventRow(1), eventRow(2)]));
      taken.add(warehouse.rows('events').length);
    });
    expect([...taken]).to.have.members([0, 1, 2]);
  });

  it('the exact view leaves out what is void, and shows it again once it is restored', () =>
    calmly(async (warehouse) => {
      await warehouse.append('events', [
        eventRow(1),
        eventRow(2),
        eventRow(2, 'conflict', 1),
        eventRow(1, 'void', 2),
      ]);
      expect(await exactIds(warehouse)).to.deep.equal(['2']);
      await warehouse.append('events', [eventRow(1, 'restored', 3)]);
      expect(await exactIds(warehouse)).to.deep.equal(['1', '2']);
      await warehouse.append('events', [eventRow(1, 'void', 4)]);
      expect(await exactIds(warehouse)).to.deep.equal(['2']);
    }));

  it('of several accepted rows the exact view shows the one published first', () =>
    calmly(async (warehouse) => {
      await warehouse.append('events', [eventRow(1, 'accepted', 5), eventRow(1, 'accepted', 3)]);
      const [row] = await exactRows(warehouse);
      expect(row?.['published_at']).to.equal(after(3));
    }));

  it('the exact view is asked by column and by time, the end excluded', () =>
    calmly(async (warehouse) => {
      await warehouse.append(
        'events',
        [1, 2, 3].map((identity) => eventRow(identity)),
      );
      expect(await exactIds(warehouse, { subject: 'acme', from: after(2), to: after(3) })).to.deep.equal([
        '2',
      ]);
      expect(await exactIds(warehouse, { subject: 'other' })).to.deep.equal([]);
      const refusal = await refusalOf(exactIds(warehouse, { from: 'yesterday' }));
      expect(refusal).to.be.instanceOf(QueryRefused);
    }));

  const wrong: readonly [string, WarehouseRow, string][] = [
    ['a column that the table has not', { ...eventRow(1), extra: 1 }, 'unknown_column'],
    ['null where it is not allowed', { ...eventRow(1), subject: null }, 'value_missing'],
    ['an unknown outcome', { ...eventRow(1), outcome: 'lost' }, 'not_one_of'],
    ['a hash that is not hex', { ...eventRow(1), identity: 'x'.repeat(32) }, 'not_a_hash'],
    ['a time that is none', { ...eventRow(1), time: 'now' }, 'not_a_time'],
    ['a fraction for an integer', { ...eventRow(1), catalogue_version: 1.5 }, 'wrong_type'],
  ];
  for (const [what, row, reason] of wrong) {
    it(`refuses ${what}, and with it every row of the call`, () =>
      calmly(async (warehouse) => {
        const refusal = await refusalOf(warehouse.append('events', [eventRow(2), row]));
        expect(refusal).to.be.instanceOf(RowRefused).and.include({ rowIndex: 1, reason });
        expect(warehouse.rows('events')).to.be.empty;
      }));
  }

  it('refuses the row that the test names, every time', () =>
    simulate(1, async (sim) => {
      const warehouse = open(sim, { ...noWarehouseFaults, refuse: (row) => row['id'] === '2' });
      for (let attempt = 0; attempt < 2; attempt++) {
        const refusal = await refusalOf(warehouse.append('events', [eventRow(1), eventRow(2)]));
        expect(refusal).to.be.instanceOf(RowRefused).and.include({ rowIndex: 1 });
      }
      await warehouse.append('events', [eventRow(1)]);
      expect(warehouse.rows('events')).to.have.lengthOf(1);
    }));

  it('an outage fails everything and ends by the clock', () =>
    calmly(async (warehouse, sim) => {
      warehouse.failFor(SECOND);
      expect(await refusalOf(warehouse.append('events', [eventRow(1)]))).to.be.instanceOf(
        WarehouseUnavailable,
      );
      expect(await refusalOf(exactIds(warehouse))).to.be.instanceOf(WarehouseUnavailable);
      await sim.sleep(SECOND);
      await warehouse.append('events', [eventRow(1)]);
      expect(warehouse.rows('events')).to.have.lengthOf(1);
    }));
});
