import { expect } from 'chai';
import { identityOf } from '#domain/metering/identity.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { fleetReceipt } from '#infra/fleet/tables.ts';
import { isHeartbeat, publishHeartbeat } from '#infra/topic/heartbeat.ts';
import { commonTopicFaults, noTopicFaults } from '#infra/topic/hostile/hostile-topic.ts';
import type { OutgoingMessage } from '#infra/topic/topic.ts';
import { deadLetter, event, watermark } from '#infra/usage/tables.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { commonWarehouseFaults, noWarehouseFaults } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { SIMULATION_START, type Simulation } from '#test/support/simulation.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { startRunner, type SimulatedRunner } from './portable-runner.ts';
import {
  killProcess,
  METER,
  NAMESPACE,
  openPortableWorld,
  RULE,
  startProcess,
  SUBSCRIPTION,
  type PortableWorld,
} from './portable-world.ts';

const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;
const SOURCE = 'urn:s';
const SUBJECTS = ['acme', 'globex', 'initech'];
const ABORT_CHANCE = 0.01;
/** A run that has not come to rest by then will not. */
const REST_SECONDS_MAX = 900;

interface Sent {
  readonly id: string;
  readonly subject: string;
  readonly tokens: number;
}

const messageOf = ({ id, subject, tokens }: Sent): OutgoingMessage => {
  const text = { specversion: '1.0', id, source: SOURCE, type: 'request', subject, data: { tokens } };
  return { data: new TextEncoder().encode(JSON.stringify(text)) };
};

/** What a run is made of, by its seed. */
const drawPlan = ({ draw }: Simulation) => ({
  events: 10 + draw.below(30),
  processes: 2 + draw.below(2),
  havocs: 2 + draw.below(5),
});

/** Publishes each event once or more, and now and then a heartbeat. */
async function publishAll({ sim, topic }: PortableWorld, events: readonly Sent[]): Promise<void> {
  const producer = topic.open(SUBSCRIPTION);
  for (const sent of events) {
    for (let isDone = false; !isDone;)
      isDone = await producer.publish([messageOf(sent)]).then(
        () => !sim.draw.chance(0.1),
        () => false,
      );
    if (sim.draw.chance(0.1)) await publishHeartbeat(producer).catch(() => undefined);
    if (sim.draw.chance(0.5)) await sim.sleep(sim.draw.below(2 * SECOND));
  }
}

/** Receipts that nobody will ever read. */
async function loseReceipts({ database }: PortableWorld): Promise<void> {
  const rows = database.rows(fleetReceipt);
  const lost = database.transact(async (tx) =>
    rows.forEach(({ holder, writer, sequence }) => tx.delete(fleetReceipt, [holder, writer, sequence])),
  );
  await lost.catch(() => undefined);
}

/** Processes die, jobs begin anew, stores go away, and receipts are lost. */
async function wreakHavoc(world: PortableWorld, runner: SimulatedRunner, havocs: number): Promise<void> {
  const { sim, processes } = world;
  for (let i = 0; i < havocs; i++) {
    await sim.sleep(sim.draw.below(8 * SECOND));
    switch (sim.draw.below(7)) {
      case 0:
      case 1: {
        const victim = sim.draw.pick([...processes.keys(), 'nobody']);
        if (victim !== 'nobody') killProcess(world, victim);
        break;
      }
      case 2:
        runner.restart(sim.draw.chance(1 / 2));
        break;
      case 3:
        world.database.failFor(sim.draw.below(25 * SECOND));
        break;
      case 4:
        sim.draw.pick([world.topic, world.warehouse]).failFor(sim.draw.below(10 * SECOND));
        break;
      case 5:
        await loseReceipts(world);
        break;
      default:
        runner.checkpoint();
    }
    startProcess(world, `${sim.seed}/process-${i}`);
  }
}

function beHostile({ database, topic, warehouse }: PortableWorld): void {
  database.setFaults({ ...commonFaults, abort: ABORT_CHANCE });
  topic.setFaults(commonTopicFaults);
  warehouse.setFaults(commonWarehouseFaults);
}

function bePeaceful({ database, topic, warehouse }: PortableWorld): void {
  database.setFaults(noFaults);
  topic.setFaults(noTopicFaults);
  warehouse.setFaults(noWarehouseFaults);
  for (const store of [database, topic, warehouse]) store.failFor(0);
}

export const committedThrough = ({ database }: Pick<PortableWorld, 'database'>): number =>
  Math.max(0, ...database.rows(watermark).map((row) => row.committedThrough));

/** Throws when something published before the stored watermark is not committed and appended, or dead-lettered. */
function checkWatermark(world: PortableWorld): void {
  const { database, warehouse, topic, arrived } = world;
  const through = committedThrough(world);
  const events = new Set(database.rows(event).map(({ identity }) => identity));
  const letters = new Set(database.rows(deadLetter).map(({ messageId }) => messageId));
  const appended = new Set(warehouse.rows('events').map((row) => row['identity']));
  const isIn = (id: string): boolean => {
    const message = arrived.get(id);
    if (message === undefined) return false;
    if (isHeartbeat(message) || letters.has(id)) return true;
    const delivery = parseDelivery(RULE, message);
    const identity = delivery.event?.identity;
    return identity !== undefined && events.has(identity) && appended.has(toHex(identity));
  };
  const early = topic.fates(SUBSCRIPTION).filter(({ id, publishTime }) => publishTime < through && !isIn(id));
  if (early.length > 0)
    throw new Error(`the watermark ${through} is ahead of ${early.map(({ id }) => id).join(' ')}`);
}

async function watch(world: PortableWorld): Promise<void> {
  for (;;) {
    await world.sim.sleep(world.sim.draw.below(SECOND));
    checkWatermark(world);
  }
}

/** Everything that was published is in, once, and nothing else is. */
async function judge({ database, warehouse }: PortableWorld, events: readonly Sent[]): Promise<void> {
  const identities = events.map(({ id }) => identityOf(NAMESPACE, SOURCE, id)).sort();
  expect(
    database
      .rows(event)
      .map(({ identity }) => identity)
      .sort(),
  ).to.deep.equal(identities);
  const accepted = warehouse.rows('events').map((row) => String(row['identity']));
  expect([...new Set(accepted)].sort()).to.deep.equal(identities.map(toHex).sort());
  const from = Math.floor(SIMULATION_START / DAY) * DAY;
  for (const subject of SUBJECTS) {
    const range = { from, to: from + 2 * DAY, window: 'none', timezone: 'UTC' } as const;
    const usage = { namespace: NAMESPACE, meter: METER, subjects: [subject], ...range };
    const { rows } = await readUsage(database, usage);
    const own = events.filter((sent) => sent.subject === subject);
    const total = own.reduce((sum, { tokens }) => sum + tokens, 0);
    expect(
      rows.map(({ value }) => value),
      subject,
    ).to.deep.equal([String(total)]);
  }
}

/** One simulated run, from an empty store to the verdict. Returns whether the watermark had moved while there was trouble. */
export async function checkPortable(sim: Simulation): Promise<boolean> {
  const plan = drawPlan(sim);
  const events: Sent[] = Array.from({ length: plan.events }, (_, i) => ({
    id: `e${i}`,
    subject: sim.draw.pick(SUBJECTS),
    tokens: 1 + sim.draw.below(9),
  }));
  const world = await openPortableWorld(sim);
  beHostile(world);
  for (let i = 0; i < plan.processes; i++) startProcess(world, `${sim.seed}/first-${i}`);
  const runner = startRunner(world);
  void sim.spawn('watch', () => watch(world));
  const publishing = sim.spawn('publishes', () => publishAll(world, events));
  await wreakHavoc(world, runner, plan.havocs);
  await publishing;
  const moved = committedThrough(world) > 0;
  bePeaceful(world);
  if (world.processes.size === 0) startProcess(world, `${sim.seed}/late`);
  const isOpen = () => world.topic.fates(SUBSCRIPTION).filter(({ acknowledged }) => !acknowledged);
  for (let second = 0; isOpen().length > 0; second++) {
    if (second > REST_SECONDS_MAX)
      throw new Error(
        `never acknowledged: ${isOpen()
          .map(({ id }) => id)
          .join(' ')}`,
      );
    await sim.sleep(SECOND);
  }
  sim.crash('watch');
  runner.end();
  await runner.running;
  for (const name of [...world.processes.keys()]) killProcess(world, name);
  checkWatermark(world);
  await judge(world, events);
  return moved;
}
