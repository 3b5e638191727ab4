import { expect } from 'chai';
import type { CorrectionRequest } from '#domain/corrections/correction.ts';
import { MICROS_PER_DAY, MICROS_PER_SECOND } from '#domain/instant.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { catalogue, meterVersion } from '#infra/catalogue/tables.ts';
import { createCorrection, openCorrections, undoCorrection } from '#infra/corrections/corrections.ts';
import { prepareCorrection } from '#infra/corrections/prepare-correction.ts';
import { correction } from '#infra/corrections/tables.ts';
import { workOnCorrection } from '#infra/corrections/work-on-correction.ts';
import { commonFaults } from '#infra/database/hostile/faults.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { fromWarehouse } from '#infra/usage/stored-event.ts';
import { correctedEvent, event } from '#infra/usage/tables.ts';
import { SIMULATION_START, type Simulation } from '#test/support/simulation.ts';
import { effectsOf, type CountedEvent } from '#test/support/usage-model.ts';
import { checkUsage } from '#test/support/usage-store-check.ts';
import { drawMessages, FILTERS, NAMESPACES } from './usage-script.ts';
import { correct, publishAll, roll, rollRest, watch, type Corrections } from './usage-tasks.ts';
import {
  ABORT_CHANCE,
  bePeaceful,
  insist,
  openWorld,
  pause,
  SUBSCRIPTION,
  work,
  type UsageWorld,
} from './usage-world.ts';

/*
 * Corrections by filter beside the stream: two workers race for each of them, die where they stand and come again, while events are committed,
 * days are rolled and single events corrected. In the end every cell is what the events that are live amount to, and so is the exact view.
 */

const OUTAGE_MICROS_MAX = 200_000;
const WEEK = { from: SIMULATION_START - 5 * MICROS_PER_DAY, to: SIMULATION_START + 2 * MICROS_PER_DAY };

function drawPlan({ draw }: Simulation) {
  return {
    events: 4 + draw.below(10),
    workers: 1 + draw.below(2),
    corrections: 1 + draw.below(4),
    havocs: draw.below(6),
    rolls: draw.chance(1 / 2),
    singles: draw.pick([0, 0, 3]),
    undoesSome: draw.chance(1 / 2),
    undoesAll: draw.chance(1 / 2),
  };
}
type Plan = ReturnType<typeof drawPlan>;

function drawRequest({ draw }: Simulation): CorrectionRequest {
  const filter = {
    ...WEEK,
    ...(draw.chance(1 / 2) ? { type: draw.pick(['use', 'state']) } : {}),
    ...(draw.chance(1 / 3) ? { subjects: [draw.pick(['acme', 'zürich/7'])] } : {}),
    ...(draw.chance(1 / 3) ? { where: "data.m == 'm1'" } : {}),
  };
  const action = draw.pick(['void', 'void', 'amend', 'amend', 'restore'] as const);
  if (action !== 'amend') return { action, filter };
  const change = draw.pick([
    { multiply: [{ path: 'v', by: '2' }] },
    { subject: 'acme' },
    { data: '{"m":"free","v":"1"}' },
  ]);
  return { action, filter, change };
}

const originOf = ({ sim }: UsageWorld) => ({ principal: 'one', reason: 'a seed says so', now: sim.now() });

/** Asks for corrections, and to undo some of them. */
async function ask(world: UsageWorld, plan: Plan): Promise<void> {
  const { sim, database } = world;
  for (let i = 0; i < plan.corrections; i++) {
    await pause(world, 100_000);
    const namespace = sim.draw.pick(NAMESPACES);
    const request = drawRequest(sim);
    const prepared = await insist(world, () => prepareCorrection(database, { namespace, ...request }));
    await insist(world, () =>
      database.transact(async (tx) => createCorrection(tx, prepared, originOf(world))),
    );
    if (plan.undoesSome) await undoSome(world);
  }
}

async function undoSome(world: UsageWorld): Promise<void> {
  for (const { namespace, id, state } of world.database.rows(correction)) {
    if (state !== 'applied' && state !== 'canceled') continue;
    await insist(world, () =>
      world.database.transact((tx) => undoCorrection(tx, { namespace, id }, originOf(world))),
    );
  }
}

/** A process that works on whatever is open, for ever. */
async function workOnAll(world: UsageWorld, name: string): Promise<void> {
  const { sim, database, warehouse } = world;
  const scheduler = { now: sim.now, sleep: (milliseconds: number) => sim.sleep(milliseconds * 1_000) };
  const stores = { database, warehouse, catalogues: createCatalogues(database) };
  for (;;) {
    for (const open of await insist(world, () => openCorrections(database)))
      await insist(world, () => workOnCorrection(stores, { ...open, worker: name, scheduler }));
    await pause(world, 50_000);
  }
}

/** A worker that starts again has another name, as a process has: it has to wait for the lease of the one that died. */
async function wreakHavoc(world: UsageWorld, plan: Plan): Promise<void> {
  const { sim } = world;
  for (let i = 0; i < plan.havocs; i++) {
    await sim.sleep(sim.draw.below(200_000));
    if (sim.draw.chance(1 / 4)) {
      sim.draw
        .pick([world.database, world.topic, world.warehouse])
        .failFor(sim.draw.below(OUTAGE_MICROS_MAX));
      continue;
    }
    const index = sim.draw.below(2);
    sim.crash(`corrector-${index}`);
    if (sim.draw.chance(1 / 2)) await sim.sleep(16 * MICROS_PER_SECOND);
    void sim.spawn(`corrector-${index}`, () => workOnAll(world, `corrector-${index}-${i}`));
  }
}

/** One simulated run, from an empty store to the verdict. */
export async function checkCorrections(sim: Simulation): Promise<void> {
  const plan = drawPlan(sim);
  const world = await openWorld(sim);
  // What a store refuses is judged elsewhere: here every event that is published is counted.
  world.database.setFaults({ ...commonFaults, abort: ABORT_CHANCE });
  const singles: Corrections = { done: [], amendments: [] };
  for (let index = 0; index < plan.workers; index++)
    void sim.spawn(`worker-${index}`, () => work(world, index));
  for (const index of [0, 1])
    void sim.spawn(`corrector-${index}`, () => workOnAll(world, `corrector-${index}`));
  void sim.spawn('watermark', () => watch(world));
  const tasks = [
    sim.spawn('producer', () => publishAll(world, drawMessages(sim.draw, plan.events))),
    sim.spawn('operator', () => ask(world, plan)),
    sim.spawn('single', () =>
      correct(world, singles, { events: plan.events, times: plan.singles, name: 's' }),
    ),
    ...(plan.rolls ? [sim.spawn('roller', () => roll(world))] : []),
  ];
  await wreakHavoc(world, plan);
  await Promise.all(tasks);
  bePeaceful(world);
  while (world.topic.fates(SUBSCRIPTION).some(({ acknowledged }) => !acknowledged)) await sim.sleep(100_000);
  await ended(world);
  if (plan.undoesAll) await undoAll(world);
  for (const name of ['corrector-0', 'corrector-1', 'watermark']) sim.crash(name);
  for (let index = 0; index < plan.workers; index++) sim.crash(`worker-${index}`);
  await rollRest(world);
  for (const namespace of NAMESPACES) await judge(world, namespace);
  // What is undone out of turn leaves alone what others had changed since.
  if (plan.undoesAll && plan.singles === 0 && !plan.undoesSome) judgeUndone(world);
}

async function ended({ database, sim }: UsageWorld): Promise<void> {
  while ((await openCorrections(database)).length > 0) await sim.sleep(1_000_000);
}

/** The newest first: an older one leaves alone what a newer one has changed since. */
async function undoAll(world: UsageWorld): Promise<void> {
  const rows = world.database.rows(correction).toSorted((a, b) => b.createdAt - a.createdAt);
  for (const { namespace, id, state } of rows) {
    if (state !== 'applied' && state !== 'canceled') continue;
    await insist(world, () =>
      world.database.transact((tx) => undoCorrection(tx, { namespace, id }, originOf(world))),
    );
    await ended(world);
  }
}

const rowsOf = ({ database }: UsageWorld, namespace: string): Pick<HostileDatabase, 'rows'> => ({
  rows: (table) => database.rows(table).filter((row) => !('namespace' in row) || row.namespace === namespace),
});

/** All cells, day rows and distinct values, and the exact view, against the events that are live. */
async function judge(world: UsageWorld, namespace: string): Promise<void> {
  const store = rowsOf(world, namespace);
  const said = new Map(
    world.warehouse
      .rows('events')
      .filter((row) => row['data'] !== null)
      .map((row) => [String(row['digest']), row]),
  );
  const counted = store.rows(event).flatMap((row): (CountedEvent & { readonly state: string })[] => {
    const found = row.digest === null ? undefined : said.get(toHex(row.digest));
    if (row.digest === null) return [];
    if (found === undefined) throw new Error(`the warehouse does not know ${toHex(row.identity)}`);
    const { time, catalogueVersion, state } = row;
    return [{ event: fromWarehouse(found, row), time, catalogueVersion, state }];
  });
  const meters = store.rows(meterVersion);
  const model = { meters, filters: FILTERS };
  const live = counted.filter(({ state }) => state === 'live');
  const [row] = store.rows(catalogue);
  checkUsage(
    store,
    {
      meters,
      effects: live.flatMap((each) => effectsOf(model, each)),
      everCounted: counted.flatMap((each) => effectsOf(model, each)),
      everVoided: new Set(store.rows(correctedEvent).map(({ identity }) => identity)),
    },
    row?.rolledThrough ?? -1,
  );
  const shown = await Array.fromAsync(world.warehouse.query('events_exact', { namespace }), (each) =>
    String(each['identity']),
  );
  const expected = live.map(({ event: { identity } }) => toHex(identity));
  expect(shown.toSorted(), `the exact view of ${namespace}`).to.deep.equal(expected.toSorted());
}

/** Everything undone: what was published counts again, and nothing that took its place does. */
function judgeUndone({ database }: UsageWorld): void {
  const rows = new Map(database.rows(event).map((row) => [row.identity, row]));
  for (const { eventId, identity, correction: by } of database.rows(correctedEvent)) {
    const state = rows.get(identity)?.state;
    expect(state, `${eventId}, last corrected by ${String(by)}`).to.equal(
      eventId.startsWith('amended-') ? 'void' : 'live',
    );
  }
}
