import { openTemporaryWarehouse } from '#test/infra/warehouse/embedded/temporary.ts';
import { warehouseContract } from './suite.ts';

warehouseContract('text segments', openTemporaryWarehouse);

warehouseContract('compacted segments', async () => {
  const opened = await openTemporaryWarehouse();
  return {
    ...opened,
    settle: async () => {
      await opened.warehouse.compact();
    },
  };
});
