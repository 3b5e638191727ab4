import { dayOf, dayStart, MICROS_PER_DAY } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { publishHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Message, OutgoingMessage } from '#infra/topic/topic.ts';
import { amendEvent } from '#infra/usage/amend-event.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import { storeWatermark } from '#infra/usage/watermark.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';
import { drawEvent, eventId, NAMESPACE, NEXT_METERS, SOURCE, toMessage } from './usage-script.ts';
import { contextOf, FEED, insist, pause, SUBSCRIPTION, toDelivery } from './usage-world.ts';
import type { UsageWorld } from './usage-world.ts';

/** What the corrections of a run did, in the order in which their answers came. */
export interface Corrections {
  readonly done: {
    readonly identity: Hash128;
    readonly leaves: 'void' | 'live';
    readonly from: number;
    readonly to: number;
  }[];
  /** Replacements that were committed, with the event each replaced. */
  readonly amendments: { readonly message: Message; readonly replaced: Hash128 }[];
}

/** A pause after which the workers may have got somewhere. */
const LONG_PAUSE_MICROS = 60_000;

export async function publishAll(world: UsageWorld, messages: readonly OutgoingMessage[]): Promise<void> {
  const topic = world.topic.open(SUBSCRIPTION);
  const { draw } = world.sim;
  for (let at = 0; at < messages.length;) {
    const some = messages.slice(at, (at += 1 + draw.below(4)));
    await insist(world, () => topic.publish(some));
    if (draw.chance(0.1)) await insist(world, () => publishHeartbeat(topic));
    if (draw.chance(0.3)) await pause(world);
  }
}

/** Voids, restores and amends events, some before they arrive, some several times. */
export async function correct(
  world: UsageWorld,
  corrections: Corrections,
  run: { events: number; times: number; name: string },
): Promise<void> {
  const { sim } = world;
  const context = { ...contextOf(world, sim.draw.below(3)), warehouse: world.warehouse };
  for (let i = 0; i < run.times; i++) {
    await pause(world, LONG_PAUSE_MICROS);
    const id = eventId(sim.draw.below(run.events));
    const name = { namespace: NAMESPACE, source: SOURCE, id };
    const identity = identityOf(NAMESPACE, SOURCE, id);
    const from = sim.now();
    const note = (leaves: 'void' | 'live'): void =>
      void corrections.done.push({ identity, leaves, from, to: sim.now() });
    const kind = sim.draw.pick(['void', 'void', 'restore', 'amend'] as const);
    if (kind === 'void') {
      await insist(world, () => voidEvent(context, name));
      note('void');
    } else if (kind === 'restore') {
      // Repeated after a lost answer it may say that it has not seen the event: either way the event will count.
      await insist(world, () => restoreEvent(context, name));
      note('live');
    } else {
      const message = replacement(world, `amended-${run.name}-${i}`);
      const delivery = toDelivery(message);
      await insist(world, () => amendEvent(context, name, delivery));
      corrections.amendments.push({ message, replaced: identity });
      note('void');
    }
  }
}

/** A replacement comes through a call and not through the topic. It has a `w`, so that no version refuses it. */
function replacement({ sim }: UsageWorld, id: string): Message {
  const draft = drawEvent(sim.draw, id);
  const { data } = toMessage({ ...draft, data: { ...draft.data, w: '1' } });
  return { id, data, attributes: {}, publishTime: sim.now(), attempt: 1, ackId: id };
}

export async function changeMeters(world: UsageWorld, times: number): Promise<void> {
  const { draw } = world.sim;
  for (let i = 0; i < times; i++) {
    await pause(world, LONG_PAUSE_MICROS);
    const [key, definition] = draw.pick(NEXT_METERS);
    const { meter } = await insist(world, () =>
      putMeter(world.database, { namespace: NAMESPACE, key, definition }),
    );
    if (!draw.chance(1 / 2)) continue;
    await insist(world, () =>
      activateMeter(world.database, { namespace: NAMESPACE, key, version: meter.version }),
    );
  }
}

/** Closes and rolls days while events for them still arrive: far more late events than a real feed has. */
export async function roll(world: UsageWorld): Promise<void> {
  let completeThrough = SIMULATION_START - 4 * MICROS_PER_DAY;
  while (completeThrough < SIMULATION_START + MICROS_PER_DAY) {
    await pause(world, LONG_PAUSE_MICROS);
    completeThrough += (1 + world.sim.draw.below(3)) * (MICROS_PER_DAY / 2);
    await insist(world, () => rollDays(world.database, NAMESPACE, completeThrough));
  }
}

/** Rolls what is left, until there is nothing left to roll. */
export async function rollRest({ database, sim }: UsageWorld): Promise<void> {
  const through = dayStart(dayOf(sim.now()) + 2);
  while ((await rollDays(database, NAMESPACE, through)) > 0);
}

/** The watermark is a promise: whatever was published before it is accounted for. */
export async function watch(world: UsageWorld): Promise<void> {
  const topic = world.topic.open(SUBSCRIPTION);
  const feed = { feed: FEED, worker: 'one', namespace: NAMESPACE, latenessMicros: 0 };
  for (;;) {
    const through = await insist(world, () => storeWatermark({ database: world.database, topic }, feed));
    for (const { id, publishTime } of world.topic.fates(SUBSCRIPTION)) {
      if (through === undefined || publishTime >= through || world.accounted.has(id)) continue;
      throw new Error(`the watermark ${through} passed ${id} of ${publishTime}, which is not accounted for`);
    }
    await pause(world, LONG_PAUSE_MICROS);
  }
}
