import { expect } from 'chai';
import { dayStart } from '#domain/instant.ts';
import { isEnded, listBackfills, openBackfills, type Backfill } from '#infra/backfill/backfill.ts';
import { PartLost } from '#infra/backfill/parts.ts';
import { startBackfill } from '#infra/backfill/start-backfill.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { meterBackfill } from '#infra/catalogue/tables.ts';
import { reconciliationDifference } from '#infra/reconcile/tables.ts';
import { workOnBackfill } from '#pipelines/backfill/work-on-backfill.ts';
import { ReconciliationLost } from '#pipelines/reconcile/work-on-reconciliation.ts';
import { simulatedScheduler } from '#test/support/simulated-scheduler.ts';
import type { Simulation } from '#test/support/simulation.ts';
import { drawMessages, METERS, NAMESPACES, NEXT_METERS } from './usage-script.ts';
import { correct, publishAll, roll, rollRest, watch, type Corrections } from './usage-tasks.ts';
import { judge } from './usage-verdict.ts';
import { bePeaceful, insist, openWorld, pause, SUBSCRIPTION, work, type UsageWorld } from './usage-world.ts';

const LONG_PAUSE_MICROS = 60_000;
const OUTAGE_MICROS_MAX = 200_000;
const WORKERS = 2;
/** Days are few, since each is a part. */
const DAYS = 6;

function drawPlan({ draw }: Simulation) {
  return {
    events: 4 + draw.below(12),
    slots: draw.pick([1, 3]),
    havocs: draw.below(6),
    backfills: 1 + draw.below(2),
    rolls: draw.chance(2 / 3),
    corrections: draw.pick([0, 4, 8]),
  };
}
type Plan = ReturnType<typeof drawPlan>;

const FEW_DAYS_AGO = 5;

/** Asks for backfills: of versions that are being built, and of those that are read already; some of them twice. */
async function ask(world: UsageWorld, times: number): Promise<void> {
  const { sim, database } = world;
  for (let i = 0; i < times; i++) {
    await pause(world, LONG_PAUSE_MICROS * 2);
    const namespace = sim.draw.pick(NAMESPACES);
    let [key, version] = [sim.draw.pick(Object.keys(METERS)), 1];
    if (sim.draw.chance(1 / 2)) {
      const [next, definition] = sim.draw.pick(NEXT_METERS);
      const { meter } = await insist(world, () => putMeter(database, { namespace, key: next, definition }));
      [key, version] = [next, meter.version];
      await pause(world, LONG_PAUSE_MICROS);
    }
    const today = Math.floor(sim.now() / 86_400_000_000);
    const request = {
      ...{ namespace, key, version, now: sim.now(), principal: 'test', reason: 'a test' },
      from: dayStart(today - FEW_DAYS_AGO),
      to: dayStart(today - FEW_DAYS_AGO + DAYS),
    };
    for (let again = sim.draw.below(2); again >= 0; again--)
      await insist(world, () => database.transact((tx) => startBackfill(tx, request)));
  }
}

/** A worker on backfills, for ever. */
async function workOnAll(world: UsageWorld, worker: string): Promise<void> {
  const scheduler = simulatedScheduler(world.sim);
  for (;;) {
    await pause(world);
    for (const { namespace, meter, version } of await insist(world, () => openBackfills(world.database)))
      await insist(world, () =>
        workOnBackfill(world, { namespace, meter, version, worker, scheduler }).catch(excuse),
      );
  }
}

/** What another worker has taken over is looked at again. */
function excuse(error: unknown): void {
  if (!(error instanceof PartLost || error instanceof ReconciliationLost)) throw error;
}

function startAll(world: UsageWorld, plan: Plan, index: number): void {
  const { sim } = world;
  const slot = sim.draw.below(plan.slots);
  void sim.spawn(`worker-${index}`, () => work(world, slot));
}

let backfillers = 0;
function startBackfiller({ sim, ...rest }: UsageWorld, index: number): void {
  // One that starts again is another worker: what it had before, it has to wait for.
  const name = `backfiller-${index}-${++backfillers}`;
  void sim.spawn(`backfiller-${index}`, () => workOnAll({ sim, ...rest }, name));
}

async function wreakHavoc(world: UsageWorld, plan: Plan): Promise<void> {
  const { sim } = world;
  for (let i = 0; i < plan.havocs; i++) {
    await sim.sleep(sim.draw.below(150_000));
    const kind = sim.draw.pick(['store', 'worker', 'backfiller', 'backfiller'] as const);
    const index = sim.draw.below(WORKERS);
    if (kind === 'store')
      sim.draw
        .pick([world.database, world.topic, world.warehouse])
        .failFor(sim.draw.below(OUTAGE_MICROS_MAX));
    else {
      sim.crash(`${kind}-${index}`);
      if (kind === 'worker') startAll(world, plan, index);
      else startBackfiller(world, index);
    }
  }
}

const openCount = ({ database }: UsageWorld): number =>
  database.rows(meterBackfill).filter((row) => !isEnded(row as Backfill)).length;

async function run(world: UsageWorld, plan: Plan, corrections: Corrections): Promise<void> {
  const { sim } = world;
  const { events, corrections: times } = plan;
  for (let index = 0; index < WORKERS; index++) {
    startAll(world, plan, index);
    startBackfiller(world, index);
  }
  void sim.spawn('watermark', () => watch(world));
  const tasks = [
    sim.spawn('producer', () => publishAll(world, drawMessages(sim.draw, events))),
    sim.spawn('asker', () => ask(world, plan.backfills)),
    sim.spawn('corrector-a', () => correct(world, corrections, { events, times, name: 'a' })),
    sim.spawn('corrector-b', () => correct(world, corrections, { events, times: times >> 1, name: 'b' })),
    ...(plan.rolls ? [sim.spawn('roller', () => roll(world))] : []),
  ];
  await wreakHavoc(world, plan);
  await Promise.all(tasks);
  bePeaceful(world);
  const isLeft = (): boolean =>
    openCount(world) > 0 || world.topic.fates(SUBSCRIPTION).some(({ acknowledged }) => !acknowledged);
  while (isLeft()) await sim.sleep(100_000);
  for (let index = 0; index < WORKERS; index++) {
    sim.crash(`worker-${index}`);
    sim.crash(`backfiller-${index}`);
  }
  sim.crash('watermark');
}

/**
 * What a backfill has to mend at its end is only what voids have left dirty: all else was right when it was counted. Where a correction came between
 * the comparison and its end, it was compared again.
 */
function judgeReports({ database }: UsageWorld): void {
  for (const row of database.rows(meterBackfill))
    expect(row.state, `the backfill of ${row.meter}@${row.version}`).to.equal('complete');
  for (const row of database.rows(reconciliationDifference))
    if (row.outcome !== 'moved')
      expect(
        row.kind,
        `${row.meter}@${row.version} ${row.subject} ${row.cell}: ${JSON.stringify(row)}`,
      ).to.equal('dirty');
}

/** One simulated run, from an empty store to the verdict: every cell of every generation against the naive model. */
export async function checkBackfill(sim: Simulation): Promise<void> {
  const plan = drawPlan(sim);
  const world = await openWorld(sim);
  const corrections: Corrections = { done: [], amendments: [] };
  await run(world, plan, corrections);
  judgeReports(world);
  await rollRest(world);
  for (const { namespace, meter: key, version } of await listBackfills(world.database)) {
    await world.database.transact((tx) => activateMeter(tx, { namespace, key, version, now: sim.now() }));
    const versions = await readMeterVersions(world.database, namespace, key);
    expect(versions.find((each) => each.state === 'active')?.version).to.equal(version);
  }
  await judge(world, corrections);
}
