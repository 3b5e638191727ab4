import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { exactViewContract } from './exact-view.ts';
import { fingerprintContract } from './fingerprint.ts';
import { meteredEventsContract } from './metered-events.ts';
import { refusalContract } from './refusal.ts';
import { roundTripContract } from './round-trip.ts';
import { usageContract } from './usage.ts';

/** A fresh, empty store, and how to be rid of it. `settle` is run between writing and reading: a driver may reorganise its rows there. */
export interface OpenedWarehouse {
  readonly warehouse: Warehouse;
  readonly settle?: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}
export type OpenWarehouse = () => Promise<OpenedWarehouse>;

/** What every test of the contract gets: `append*` as in the port, followed by `settle`. */
export type WithWarehouse = (body: (warehouse: Warehouse) => Promise<void>) => () => Promise<void>;

/** What every driver of the `Warehouse` port promises. */
export function warehouseContract(name: string, open: OpenWarehouse): void {
  const withWarehouse: WithWarehouse = (body) => async () => {
    const { warehouse, settle, dispose } = await open();
    try {
      await body(settle === undefined ? warehouse : settling(warehouse, settle));
    } finally {
      await dispose();
    }
  };

  describe(`the warehouse contract on ${name}`, () => {
    roundTripContract(withWarehouse);
    exactViewContract(withWarehouse);
    meteredEventsContract(withWarehouse);
    usageContract(withWarehouse);
    fingerprintContract(withWarehouse);
    refusalContract(withWarehouse);
  });
}

const settling = (warehouse: Warehouse, settle: () => Promise<void>): Warehouse => ({
  ...warehouse,
  append: async (table, rows) => {
    await warehouse.append(table, rows);
    await settle();
  },
  appendEvents: async (rows) => {
    await warehouse.appendEvents(rows);
    await settle();
  },
});
