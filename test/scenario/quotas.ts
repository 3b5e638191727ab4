import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Simulation } from '#test/support/simulation.ts';
import { administer, ask, correct, lapse, maintain, moveWatermark, serve, type Told } from './quota-tasks.ts';
import { checkEnds, checkGrant, checkQuotas, checkSettled } from './quota-verdict.ts';
import { openQuotaWorld } from './quota-world.ts';
import { bePeaceful, SUBSCRIPTION, work, type UsageWorld } from './usage-world.ts';

/** Commits of a run that are judged one by one, beside the last. */
const JUDGED_GRANTS_MAX = 4;
/** Racing for the last units of one API process. */
const CALLERS_MAX = 64;
const OUTAGE_MICROS_MAX = 200_000;
const LONGER_THAN_ANY_HOLD_MICROS = 5 * MICROS_PER_SECOND;

/** What a run is made of, by its seed: now and then all the 64 callers that one process may have. */
function drawPlan({ draw }: Simulation) {
  const callers = draw.chance(1 / 25) ? CALLERS_MAX : 2 + draw.below(6);
  return {
    servers: 1 + draw.below(2),
    callers,
    requests: callers === CALLERS_MAX ? 1 : 1 + draw.below(3),
    workers: 1 + draw.below(2),
    havocs: draw.below(5),
    changes: draw.pick([0, 0, 2, 5]),
    corrections: draw.pick([0, 3, 6]),
  };
}
type Plan = ReturnType<typeof drawPlan>;

const startWorker = (world: UsageWorld, index: number): void =>
  void world.sim.spawn(`worker-${index}`, () => work(world, 0));

/** Kills a worker of the pipeline or the upkeep where it stands, or takes a store away; API processes die by themselves. */
async function wreakHavoc(world: UsageWorld, plan: Plan): Promise<void> {
  const { sim } = world;
  for (let i = 0; i < plan.havocs; i++) {
    await sim.sleep(sim.draw.below(500_000));
    if (sim.draw.chance(1 / 4)) {
      sim.draw
        .pick([world.database, world.topic, world.warehouse])
        .failFor(sim.draw.below(OUTAGE_MICROS_MAX));
    } else if (sim.draw.chance(1 / 4)) {
      sim.crash('upkeep');
      void sim.spawn('upkeep', () => maintain(world));
    } else {
      const index = sim.draw.below(plan.workers);
      sim.crash(`worker-${index}`);
      // It lags: meanwhile times to live run out, and holds are pending.
      await sim.sleep(sim.draw.pick([0, 0, 2 * MICROS_PER_SECOND]));
      startWorker(world, index);
    }
  }
}

/** An API process that is killed in the middle leaves its callers without an answer; a new one comes up. */
async function serveAndDie(world: UsageWorld, told: Told, plan: Plan, name: string): Promise<void> {
  const { sim } = world;
  const start = () =>
    sim.spawn(name, () => serve(world, told, { name, callers: plan.callers, requests: plan.requests }));
  if (!sim.draw.chance(1 / 4)) return start();
  let over = false;
  void start().then(() => (over = true));
  await sim.sleep(sim.draw.below(300_000));
  if (over) return;
  sim.crash(name);
  await start();
}

async function run(world: UsageWorld, plan: Plan): Promise<Told> {
  const { sim } = world;
  const told: Told = { granted: [], refused: { count: 0 } };
  for (let index = 0; index < plan.workers; index++) startWorker(world, index);
  void sim.spawn('upkeep', () => maintain(world));
  const tasks = [
    ...Array.from({ length: plan.servers }, (_, index) => serveAndDie(world, told, plan, `api-${index}`)),
    sim.spawn('admin', () => administer(world, plan.changes)),
    sim.spawn('corrector', () => correct(world, plan.corrections)),
    sim.spawn('client', () => ask(world, 2)),
  ];
  await wreakHavoc(world, plan);
  await Promise.all(tasks);
  bePeaceful(world);
  await drain(world);
  return told;
}

async function drain({ sim, topic }: UsageWorld): Promise<void> {
  while (topic.fates(SUBSCRIPTION).some(({ acknowledged }) => !acknowledged)) await sim.sleep(100_000);
}

/** Lets every time to live run out and the watermark pass it: whatever is held then is held for ever. */
async function outlive(world: UsageWorld, { workers }: Plan): Promise<void> {
  const { sim } = world;
  await sim.sleep(LONGER_THAN_ANY_HOLD_MICROS);
  sim.crash('upkeep');
  await drain(world);
  for (let index = 0; index < workers; index++) sim.crash(`worker-${index}`);
  await moveWatermark(world);
  while ((await lapse(world)) > 0);
}

/** One simulated run, from limits on an empty store to the verdict. */
export async function checkQuotaRun(sim: Simulation): Promise<Told> {
  const plan = drawPlan(sim);
  const world = await openQuotaWorld(sim);
  const told = await run(world, plan);
  const { database } = world;
  for (const granted of sim.draw.shuffle(told.granted).slice(0, JUDGED_GRANTS_MAX)) {
    await checkGrant(database, granted);
    await checkQuotas(database, granted.grantedAt);
    if (plan.changes === 0) await checkSettled(database, granted.grantedAt);
  }
  if (plan.changes === 0) await checkSettled(database, sim.now());
  await checkQuotas(database, sim.now());
  await outlive(world, plan);
  await checkQuotas(database, sim.now());
  checkEnds(database);
  return told;
}
