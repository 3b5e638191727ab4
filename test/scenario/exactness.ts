import type { Simulation } from '#test/support/simulation.ts';
import { drawMessages } from './usage-script.ts';
import { changeMeters, correct, publishAll, roll, rollRest, settleLetters, watch } from './usage-tasks.ts';
import type { Corrections } from './usage-tasks.ts';
import { judge } from './usage-verdict.ts';
import { bePeaceful, openWorld, SUBSCRIPTION, work } from './usage-world.ts';
import type { UsageWorld } from './usage-world.ts';

const OUTAGE_MICROS_MAX = 200_000;

/** What a run is made of, by its seed. */
function drawPlan({ draw }: Simulation) {
  return {
    events: 4 + draw.below(12),
    workers: 2 + draw.below(2),
    slots: draw.pick([1, 3, 16]),
    havocs: draw.below(5),
    meterChanges: draw.pick([0, 0, 1, 3]),
    rolls: draw.chance(2 / 3),
    corrections: draw.pick([0, 3, 6]),
    settlings: draw.pick([0, 2, 4]),
  };
}
type Plan = ReturnType<typeof drawPlan>;

const workerName = (index: number): string => `worker-${index}`;

/** Where slots are used, a worker that starts again may well get another one, or one that somebody else writes too. */
function startWorker(world: UsageWorld, { slots }: Plan, index: number): void {
  const slot = world.sim.draw.below(slots);
  void world.sim.spawn(workerName(index), () => work(world, slot));
}

/** Now and then a worker dies where it stands, or a store goes away for a while. */
async function wreakHavoc(world: UsageWorld, plan: Plan): Promise<void> {
  const { sim } = world;
  for (let i = 0; i < plan.havocs; i++) {
    await sim.sleep(sim.draw.below(100_000));
    if (sim.draw.chance(1 / 4)) {
      sim.draw
        .pick([world.database, world.topic, world.warehouse])
        .failFor(sim.draw.below(OUTAGE_MICROS_MAX));
      continue;
    }
    const index = sim.draw.below(plan.workers);
    sim.crash(workerName(index));
    startWorker(world, plan, index);
  }
}

/** Runs everything at once until nothing is left to do. */
async function run(world: UsageWorld, plan: Plan, corrections: Corrections): Promise<void> {
  const { sim } = world;
  const { events, corrections: times } = plan;
  for (let index = 0; index < plan.workers; index++) startWorker(world, plan, index);
  void sim.spawn('watermark', () => watch(world));
  const tasks = [
    sim.spawn('producer', () => publishAll(world, drawMessages(sim.draw, events))),
    sim.spawn('meters', () => changeMeters(world, plan.meterChanges)),
    sim.spawn('corrector-a', () => correct(world, corrections, { events, times, name: 'a' })),
    sim.spawn('corrector-b', () => correct(world, corrections, { events, times: times >> 1, name: 'b' })),
    sim.spawn('operator', () => settleLetters(world, plan.settlings)),
    ...(plan.rolls ? [sim.spawn('roller', () => roll(world))] : []),
  ];
  await wreakHavoc(world, plan);
  await Promise.all(tasks);
  bePeaceful(world);
  while (world.topic.fates(SUBSCRIPTION).some(({ acknowledged }) => !acknowledged)) await sim.sleep(100_000);
  for (let index = 0; index < plan.workers; index++) sim.crash(workerName(index));
  sim.crash('watermark');
}

/** One simulated run, from an empty store to the verdict. */
export async function checkExactness(sim: Simulation): Promise<void> {
  const plan = drawPlan(sim);
  const world = await openWorld(sim);
  const corrections: Corrections = { done: [], amendments: [] };
  await run(world, plan, corrections);
  await rollRest(world);
  await judge(world, corrections);
}
