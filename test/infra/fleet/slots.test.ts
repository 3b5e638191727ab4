import { expect } from 'chai';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { createErrandLease, ERRAND_LEASE_MICROS } from '#infra/fleet/errand-lease.ts';
import { enterFleet, leastUsedSlot, livingWorkers, SLOT_LEASE_MICROS, SLOTS } from '#infra/fleet/slots.ts';
import { FLEET_TABLES } from '#infra/fleet/tables.ts';
import { simulate, SIMULATION_START } from '#test/support/simulation.ts';

describe('the slots of a fleet', () => {
  it('are used evenly: the next worker takes the first of those that the fewest have', () => {
    expect(leastUsedSlot([])).to.equal(0);
    expect(leastUsedSlot([0, 2, 1], 4)).to.equal(3);
    expect(leastUsedSlot([0, 1, 2, 3, 0], 4)).to.equal(1);
    expect(leastUsedSlot([99], 2), 'of a release that had more').to.equal(0);
  });

  it('differ between workers that enter at the same time, as long as there are enough', () =>
    simulate(1, async (sim) => {
      const database = openHostile({ tables: FLEET_TABLES, schedule: sim, faults: noFaults });
      const names = Array.from({ length: SLOTS }, (_, i) => `worker-${i}`);
      const rows = await Promise.all(
        names.map((name) =>
          sim.spawn(name, () => enterFleet(database, name, { release: 'one', now: sim.now() })),
        ),
      );
      expect(new Set(rows.map(({ slot }) => slot)).size).to.equal(SLOTS);
      const again = await enterFleet(database, 'worker-3', { release: 'one', now: sim.now() });
      expect(again.slot).to.equal(rows[3]?.slot);
      const more = await enterFleet(database, 'one-more', { release: 'one', now: sim.now() });
      expect(more.slot, 'shared, which is only slower').to.be.within(0, SLOTS - 1);
    }));

  it('are free again when their workers have not been heard of for long', () =>
    simulate(1, async (sim) => {
      const database = openHostile({ tables: FLEET_TABLES, schedule: sim, faults: noFaults });
      await enterFleet(database, 'dead', { release: 'one', now: SIMULATION_START });
      const later = SIMULATION_START + SLOT_LEASE_MICROS;
      const next = await enterFleet(database, 'next', { release: 'one', now: later });
      expect(next.slot).to.equal(0);
      expect((await livingWorkers(database, later)).map(({ worker }) => worker)).to.deep.equal(['next']);
    }));
});

describe('the errands of a fleet', () => {
  it('are of one worker at a time, of another when it gives them up or is not heard of', () =>
    simulate(1, async (sim) => {
      const database = openHostile({ tables: FLEET_TABLES, schedule: sim, faults: noFaults });
      let now = SIMULATION_START;
      const leaseOf = (worker: string) =>
        createErrandLease(database, { errand: 'usage', worker, clock: () => now });
      const [first, second] = [leaseOf('first'), leaseOf('second')];
      expect([await first.isMine(), await second.isMine()]).to.deep.equal([true, false]);
      now += ERRAND_LEASE_MICROS - 1;
      expect([await first.isMine(), await second.isMine()], 'renewed in time').to.deep.equal([true, false]);
      now += ERRAND_LEASE_MICROS;
      expect([await second.isMine(), await first.isMine()], 'not heard of').to.deep.equal([true, false]);
      await second.giveUp();
      now += ERRAND_LEASE_MICROS / 2;
      expect(await leaseOf('third').isMine(), 'given up').to.equal(true);
    }));
});
