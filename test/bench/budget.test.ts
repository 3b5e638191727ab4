import { expect } from 'chai';
import { spendOf } from '#bench/budget.ts';
import { LOCAL_TABLES } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { openTemporary } from '#test/infra/database/sqlite/temporary.ts';

describe('the commits of all kinds of events', () => {
  it('write no more rows and mutations, and take no more round trips of reads, than the design allows', async () => {
    const open = async () => {
      const { database, close } = await openTemporary(LOCAL_TABLES);
      return { ...database, close };
    };
    const spent = await spendOf(open, { events: 1_500, now: systemScheduler.now() });
    expect(spent.flatMap(({ overspent }) => overspent)).to.deep.equal([]);
    // A budget that nothing comes near would hold nobody to anything.
    for (const { shape, rowsPerEvent, rowsPerEventMax } of spent)
      expect(rowsPerEvent / rowsPerEventMax, shape).to.be.above(0.15);
    expect(spent.map(({ tripsPerCommit }) => tripsPerCommit)).to.deep.equal([1, 1, 2, 1]);
  });
});
