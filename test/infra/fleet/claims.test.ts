import { expect } from 'chai';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { advanceWatermarks, storeClaims } from '#infra/fleet/claims.ts';
import { FLEET_TABLES } from '#infra/fleet/tables.ts';
import { fleetWindows } from '#infra/fleet/windows.ts';
import { USAGE_TABLES, watermark } from '#infra/usage/tables.ts';
import { simulate, simulateSeeds, SIMULATION_START, type Simulation } from '#test/support/simulation.ts';
import { openFleet, type SimulatedFleet } from './simulated-fleet.ts';

const MILLI = 1_000;
const SEEDS = 60;
const WORKERS = 3;

/** Messages in small portions, with pauses in which everything comes to rest now and then. */
async function publish(sim: Simulation, { publisher }: SimulatedFleet, portions: number): Promise<void> {
  for (let portion = 0; portion < portions; portion++) {
    const messages = Array.from({ length: 1 + sim.draw.below(5) }, (_, i) => ({
      data: new TextEncoder().encode(`${portion}-${i}`),
    }));
    await publisher.publish(messages).catch(() => undefined);
    await sim.sleep(sim.draw.below(20 * MILLI));
  }
}

/** Workers die, leave and come, but one always remains. */
async function disturb(sim: Simulation, fleet: SimulatedFleet, changes: number): Promise<void> {
  for (let change = 0; change < changes; change++) {
    await sim.sleep(sim.draw.below(150 * MILLI));
    const victim = sim.draw.pick([...fleet.alive(), 'nobody']);
    if (victim !== 'nobody') sim.draw.pick([fleet.crash, fleet.leave, fleet.cutOff])(victim);
    await fleet.start(`worker-${WORKERS + change}`);
    fleet.check();
  }
}

const at = (claimedAt: number, through?: number) => ({
  ...{ worker: 'one', claimedAt, oldest: null },
  evidence:
    through === undefined ? [] : [{ at: claimedAt, kind: 'acknowledged' as const, through, steadySince: 0 }],
});

describe('the watermarks of a fleet', () => {
  it('are stored together or not at all: a namespace never seems further for want of a feed that cannot tell yet', () =>
    simulate(1, async (sim) => {
      const tables = [...USAGE_TABLES, ...FLEET_TABLES];
      const database = openHostile({ tables, schedule: sim, faults: noFaults });
      const feeds = ['usage', 'api'].map((feed) => ({ feed, namespace: null, latenessMicros: 0 }));
      const now = SIMULATION_START + 10 * MILLI;
      const advance = (claims: Record<string, ReturnType<typeof at>>) => {
        const rows = Object.entries(claims).map(([feed, claim]) => ({ feed, ...claim }));
        const worker = { worker: 'one', slot: 0, release: 'one', startedAt: 0, heartbeatAt: now };
        return storeClaims(database, worker, rows).then(() =>
          advanceWatermarks(database, feeds, { now, windows: fleetWindows(10) }),
        );
      };
      const tells = at(now - 2 * MILLI, SIMULATION_START);
      expect(await advance({ usage: at(now - 2 * MILLI), api: tells })).to.equal(undefined);
      expect(database.rows(watermark)).to.deep.equal([]);
      expect(await advance({ usage: at(now - MILLI, SIMULATION_START - 1), api: tells })).to.equal(
        SIMULATION_START - 1,
      );
      expect(await advance({ usage: at(now), api: tells }), 'never back').to.equal(SIMULATION_START - 1);
    }));
});

describe('the watermark of a fleet', () => {
  it('is never ahead of a message that is not committed, whoever dies, leaves, is cut off or is given it again', async () => {
    let moved = 0;
    await simulateSeeds(SEEDS, async (sim) => {
      const fleet = openFleet(sim);
      for (let i = 0; i < WORKERS; i++) await fleet.start(`worker-${i}`);
      await Promise.all([
        sim.spawn('publishes', () => publish(sim, fleet, 30)),
        sim.spawn('disturbs', () => disturb(sim, fleet, 6)),
      ]);
      const before = fleet.committedThrough();
      for (let wait = 0; wait < 40 && !fleet.isDrained(); wait++) {
        if (fleet.alive().length === 0) await fleet.start(`late-${wait}`);
        await sim.sleep(40 * MILLI);
        fleet.check();
      }
      if (before !== undefined) moved++;
      fleet.end();
    });
    expect(moved, 'runs in which it moved at all').to.be.above(SEEDS / 3);
  });
});
