import { MICROS_PER_DAY, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { StoreError } from '#infra/database/errors.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { issueInvoices } from '#infra/invoicing/issue-invoices.ts';
import { voidInvoice } from '#infra/invoicing/change-invoice.ts';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import { WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import { commonWarehouseFaults, noWarehouseFaults } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { NAMESPACE } from '#test/infra/usage/usage-fixture.ts';
import { simulatedScheduler } from '#test/support/simulated-scheduler.ts';
import type { Simulation } from '#test/support/simulation.ts';
import { expectSettled } from './billing.ts';
import { cancelAll, change, decide, drawUsage, subscribe, voidOne } from './life.ts';
import { beginRun, invoiceRows, publish, reachNow, townOn, transact, workOf, type Town } from './town.ts';

/** Usage reaches back so far, and subscriptions further. */
const USED_DAYS = 40;
/** Per operation, and a commit of invoices has dozens of them. */
const ABORT_CHANCE = 0.01;
/** Small, so that parts and commits are many. */
const PACE = { payersPerPart: 1, rowsPerCommit: 12, issuedPerCommit: 3 };
const PAUSE_MICROS_MAX = 30_000;

/** What races the runs, by the seed. */
const drawRace = ({ draw }: Simulation) => ({
  kills: draw.below(4),
  changes: draw.pick([0, 0, 3, 6]),
  voids: draw.pick([0, 0, 2]),
  lateEvents: draw.pick([0, 0, 2]),
});

/**
 * Two runs at once, and issuing beside them, over customers who have periods to pay for; workers die and begin again, answers are lost,
 * subscriptions change, events come late, invoices are voided. In the end everything is billed once.
 */
export async function raceAndJudge(sim: Simulation): Promise<void> {
  const town = await prepare(sim);
  const race = drawRace(sim);
  town.database.setFaults({ ...commonFaults, abort: ABORT_CHANCE });
  town.warehouse.setFaults(commonWarehouseFaults);
  const runs = [await insist(sim, () => beginRun(town)), await insist(sim, () => beginRun(town))];
  const lasting = [
    ...runs.map((run, index) =>
      sim.spawn(`lasting-${index}`, () => bill(sim, town, run, `lasting-${index}`)),
    ),
    sim.spawn('changer', () => repeat(sim, race.changes, () => change(town))),
    sim.spawn('voider', () => repeat(sim, race.voids, () => voidOne(town))),
    sim.spawn('late', () => useLate(sim, town, race.lateEvents)),
    sim.spawn('issuer', () =>
      repeat(sim, 3, () => issueInvoices(town, { namespace: NAMESPACE, clock: sim.now })),
    ),
  ];
  const end = killAgainAndAgain(sim, race.kills, () => bill(sim, town, runs[0] ?? '', 'mortal'));
  await Promise.all([...lasting, end]);
  town.database.setFaults(noFaults);
  town.warehouse.setFaults(noWarehouseFaults);
  await conclude(sim, town, race);
}

/** A worker that dies where it stands, and begins again under its name; the last one lives. */
async function killAgainAndAgain(sim: Simulation, kills: number, work: () => Promise<void>): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    let isAlive = true;
    void sim.spawn('mortal', work).then(() => (isAlive = false));
    await sim.sleep(sim.draw.below(PAUSE_MICROS_MAX));
    if (isAlive) sim.crash('mortal');
  }
  await sim.spawn('mortal', work);
}

async function conclude(sim: Simulation, town: Town, race: ReturnType<typeof drawRace>): Promise<void> {
  if (race.changes + race.voids + race.lateEvents === 0) {
    const again = invoiceRows(town).filter(({ sequence }) => sequence > 1);
    if (again.length > 0) throw new Error(`made twice: ${again.map(({ id }) => id).join()}`);
  }
  // What was changed is settled with the next invoice, or with the end.
  await cancelAll(town);
  await sim.sleep(10 * MICROS_PER_MINUTE);
  await reachNow(town);
  if (race.lateEvents === 0) await expectSettled(town, sim.seed, 'after the race');
  // What came late for an invoice that was there is on it once it is made anew.
  await decide(town, true);
  for (const { id, state } of invoiceRows(town))
    if (state !== 'void')
      await transact(town, (tx) => voidInvoice(tx, { namespace: NAMESPACE, id, now: sim.now() }));
  await expectSettled(town, sim.seed, 'when all is made anew');
}

async function prepare(sim: Simulation): Promise<Town> {
  const clock = {
    get now() {
      return sim.now();
    },
  };
  const town = await townOn(sim, { draw: sim.draw, clock, scheduler: simulatedScheduler(sim) });
  for (const citizen of town.customers) await subscribe(town, citizen);
  await publish(town, drawUsage(town, sim.now() - USED_DAYS * MICROS_PER_DAY, sim.now()));
  await sim.sleep(10 * MICROS_PER_MINUTE);
  await reachNow(town);
  return town;
}

/** Works on a run as a process does that somebody starts again whenever it fails. */
const bill = (sim: Simulation, town: Town, run: string, worker: string): Promise<void> =>
  insist(sim, () => workOnRun(town, { ...workOf(town, run, worker), pace: PACE }));

async function repeat(sim: Simulation, times: number, act: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time++) {
    await sim.sleep(sim.draw.below(PAUSE_MICROS_MAX));
    await insist(sim, act);
  }
}

async function useLate(sim: Simulation, town: Town, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await sim.sleep(sim.draw.below(PAUSE_MICROS_MAX));
    const events = drawUsage(town, sim.now() - USED_DAYS * MICROS_PER_DAY, sim.now());
    await insist(sim, () => publish(town, events));
  }
}

/** Does it again until no store is in the way. */
async function insist<Result>(sim: Simulation, act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof WarehouseUnavailable)) throw error;
      await sim.sleep(sim.draw.below(PAUSE_MICROS_MAX));
    }
  }
}
