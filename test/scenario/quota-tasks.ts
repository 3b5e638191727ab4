import { MICROS_PER_DAY, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { moveSubject } from '#infra/customers/move-subject.ts';
import { checkEntitlements } from '#infra/entitlements/check-entitlements.ts';
import {
  extendReservation,
  releaseReservation,
  settleReservation,
} from '#infra/entitlements/change-reservation.ts';
import { createReservations, type Reservations } from '#infra/entitlements/create-reservations.ts';
import { EntitlementError } from '#infra/entitlements/errors.ts';
import type { ReservationOutcome } from '#infra/entitlements/grant-reservations.ts';
import { lapseHolds } from '#infra/entitlements/lapse-holds.ts';
import { deleteLimits, putLimits } from '#infra/entitlements/put-limits.ts';
import { publishHeartbeat } from '#infra/topic/heartbeat.ts';
import { amendEvent } from '#infra/usage/amend-event.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import { readFreshness, storeWatermark } from '#infra/usage/watermark.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';
import {
  CUSTOMERS,
  drawLimits,
  FEATURES,
  NAMESPACE,
  NEXT_METERS,
  SOURCE,
  SUBJECTS,
  usageMessage,
  type UsageDraft,
} from './quota-world.ts';
import { contextOf, FEED, insist, pause, SUBSCRIPTION, toDelivery, type UsageWorld } from './usage-world.ts';

const LATENESS_MICROS = 20_000;
const LONG_PAUSE_MICROS = 200_000;
/** Callers work on the same few events now and then, as retries of one request do. */
const EVENTS = 60;

/** A reservation as a caller was promised it. */
export interface Granted {
  readonly id: string;
  readonly customer: string;
  readonly feature: string;
  readonly amount: string;
  readonly grantedAt: number;
}

/** What the callers of a run were told. */
export interface Told {
  readonly granted: Granted[];
  readonly refused: { count: number };
}

const eventName = (number: number): string => `e-${number}`;

/** An API process: callers that share a committer, and die with it. */
export async function serve(
  world: UsageWorld,
  told: Told,
  { name, callers, requests }: { name: string; callers: number; requests: number },
): Promise<void> {
  const reservations = createReservations({ database: world.database, clock: world.sim.now });
  const all = Array.from({ length: callers }, (_, index) =>
    world.sim.spawn(`${name}-caller-${index}`, async () => {
      for (let i = 0; i < requests; i++) await call(world, told, reservations);
    }),
  );
  await Promise.all(all);
}

/** Reserves, does the work, and says what it took; or forgets one of these. */
async function call(world: UsageWorld, told: Told, reservations: Reservations): Promise<void> {
  const { sim } = world;
  const { draw } = sim;
  const customer = draw.pick(CUSTOMERS);
  const feature = draw.pick(Object.keys(FEATURES));
  const id = eventName(draw.below(EVENTS));
  const amount = String(1 + draw.below(4));
  const request = {
    namespace: NAMESPACE,
    customer,
    feature,
    amount,
    ttlSeconds: draw.pick([1, 1, 2]),
    event: { source: SOURCE, id },
  };
  const outcome = await insist(world, () => reservations.reserve(request));
  note(told, outcome);
  if (outcome.outcome === 'granted') {
    if (draw.chance(0.3)) await pause(world, LONG_PAUSE_MICROS);
    await changeReservation(world, outcome.reservation.id);
  }
  // Some use without being granted anything, and some are granted and never use.
  if (draw.chance(outcome.outcome === 'granted' ? 0.7 : 0.15)) await use(world, { id, customer });
}

function note({ granted, refused }: Told, outcome: ReservationOutcome): void {
  if (outcome.outcome === 'granted') granted.push(outcome.reservation);
  else refused.count++;
}

async function changeReservation(world: UsageWorld, id: string): Promise<void> {
  const { draw } = world.sim;
  const name = () => ({ namespace: NAMESPACE, id, now: world.sim.now() });
  const change = draw.pick(['none', 'none', 'settle', 'release', 'extend'] as const);
  if (change === 'none') return;
  const actual = String(draw.below(6));
  await insist(world, async () => {
    try {
      await world.database.transact((tx) => {
        if (change === 'settle') return settleReservation(tx, { ...name(), actual });
        if (change === 'release') return releaseReservation(tx, name());
        return extendReservation(tx, { ...name(), ttlSeconds: 1 });
      });
    } catch (error) {
      // Its event may have come, or another caller has given it back: that is a fair answer.
      if (!(error instanceof EntitlementError) || error.code !== 'reservation_closed') throw error;
    }
  });
}

/** Publishes the event, some copies of it, and now and then a copy that says something else. */
async function use(world: UsageWorld, { id, customer }: { id: string; customer: string }): Promise<void> {
  const { draw } = world.sim;
  const topic = world.topic.open(SUBSCRIPTION);
  const event = drawUsage(world, id, customer);
  const messages = [usageMessage(event)];
  if (draw.chance(0.2)) messages.push(usageMessage(event));
  if (draw.chance(0.1)) messages.push(usageMessage({ ...event, value: event.value + 1 }));
  await insist(world, () => topic.publish(messages));
}

function drawUsage({ sim }: UsageWorld, id: string, customer: string): UsageDraft {
  const { draw } = sim;
  const own = Object.keys(SUBJECTS).filter((subject) => SUBJECTS[subject] === customer);
  const subject = draw.pick(draw.chance(0.9) ? own : Object.keys(SUBJECTS));
  const back = draw.pick([0, 0, 0, MICROS_PER_MINUTE, MICROS_PER_DAY, -MICROS_PER_MINUTE]);
  return { id, subject, value: draw.below(5), time: sim.now() - back, free: draw.chance(0.2) };
}

/** Moves the watermark, and ends the holds whose event cannot come any more, as the pipeline's upkeep does. */
export async function maintain(world: UsageWorld): Promise<void> {
  for (;;) {
    await insist(world, () => publishHeartbeat(world.topic.open(SUBSCRIPTION)));
    await insist(world, () => moveWatermark(world));
    await insist(world, () => lapse(world));
    if (world.sim.draw.chance(0.1)) await insist(world, () => roll(world));
    await pause(world, LONG_PAUSE_MICROS);
  }
}

export function moveWatermark({ database, topic }: UsageWorld): Promise<number | undefined> {
  const feed = { feed: FEED, worker: 'one', namespace: NAMESPACE, latenessMicros: LATENESS_MICROS };
  return storeWatermark({ database, topic: topic.open(SUBSCRIPTION) }, feed);
}

export async function lapse({ database, sim }: UsageWorld): Promise<number> {
  const freshness = await readFreshness(database, NAMESPACE);
  const { lapsed, settled } = await lapseHolds(database, NAMESPACE, { now: sim.now(), freshness });
  return lapsed + settled;
}

const roll = ({ database, sim }: UsageWorld): Promise<number> =>
  rollDays(database, NAMESPACE, sim.now() - LATENESS_MICROS);

/** Sets, changes and deletes limits, moves subjects, and makes and activates other versions of the meters, while all this goes on. */
export async function administer(world: UsageWorld, times: number): Promise<void> {
  const { sim } = world;
  for (let i = 0; i < times; i++) {
    await pause(world, LONG_PAUSE_MICROS);
    const customer = sim.draw.pick(CUSTOMERS);
    const feature = sim.draw.pick(Object.keys(FEATURES));
    const of = { namespace: NAMESPACE, customer, feature };
    const limits = drawLimits(sim.draw);
    const back = sim.draw.pick([0, MICROS_PER_MINUTE, MICROS_PER_DAY]);
    const subject = sim.draw.pick(Object.keys(SUBJECTS));
    const act = sim.draw.pick(['limits', 'limits', 'delete', 'move', 'meter'] as const);
    if (act === 'meter') await changeMeter(world, sim.draw);
    else
      await insist(world, () =>
        world.database.transact(async (tx) => {
          const now = sim.now();
          if (act === 'limits') await putLimits(tx, { ...of, limits, now });
          else if (act === 'delete') await deleteLimits(tx, { ...of, now });
          else await moveSubject(tx, { namespace: NAMESPACE, subject, to: customer, from: now - back, now });
        }),
      );
  }
}

async function changeMeter(world: UsageWorld, draw: SeededRandom): Promise<void> {
  const [key, definition] = draw.pick(NEXT_METERS);
  const saved = await insist(world, () =>
    putMeter(world.database, { namespace: NAMESPACE, key, definition }),
  );
  if (!draw.chance(0.6)) return;
  const version = draw.pick([1, saved.meter.version]);
  await insist(world, () =>
    world.database.transact((tx) =>
      activateMeter(tx, { namespace: NAMESPACE, key, version, now: world.sim.now() }),
    ),
  );
}

/** Voids, restores and amends events, some before they come. */
export async function correct(world: UsageWorld, times: number): Promise<void> {
  const { sim } = world;
  const context = { ...contextOf(world, 0), warehouse: world.warehouse };
  for (let i = 0; i < times; i++) {
    await pause(world, LONG_PAUSE_MICROS);
    const name = { namespace: NAMESPACE, source: SOURCE, id: eventName(sim.draw.below(EVENTS)) };
    const kind = sim.draw.pick(['void', 'void', 'restore', 'amend'] as const);
    if (kind === 'void') await insist(world, () => voidEvent(context, name));
    else if (kind === 'restore') await insist(world, () => restoreEvent(context, name));
    else {
      const delivery = replacement(world, `amended-${i}`);
      await insist(world, () => amendEvent(context, name, delivery));
    }
  }
}

function replacement(world: UsageWorld, id: string) {
  const { data, attributes } = usageMessage(drawUsage(world, id, world.sim.draw.pick(CUSTOMERS)));
  return toDelivery({ id, data, attributes, publishTime: world.sim.now(), attempt: 1, ackId: id });
}

/** Asks what it may use, without using it: an answer never fails. */
export async function ask(world: UsageWorld, times: number): Promise<void> {
  const checks = CUSTOMERS.flatMap((customer) =>
    Object.keys(FEATURES).map((feature) => ({ customer, feature, amount: '1' })),
  );
  for (let i = 0; i < times; i++) {
    await pause(world, LONG_PAUSE_MICROS);
    await insist(world, () => checkEntitlements(world.database, NAMESPACE, checks, world.sim.now()));
  }
}
