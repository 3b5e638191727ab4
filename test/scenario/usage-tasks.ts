import { dayOf, dayStart, MICROS_PER_DAY } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { publishHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Message, OutgoingMessage } from '#infra/topic/topic.ts';
import { amendEvent } from '#infra/usage/amend-event.ts';
import { listDeadLetters } from '#infra/usage/dead-letters.ts';
import { dismissDeadLetters } from '#infra/usage/dismiss-dead-letters.ts';
import { replayDeadLetters } from '#infra/usage/replay-dead-letters.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import { storeWatermark } from '#infra/usage/watermark.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';
import { drawEvent, eventId, NAMESPACES, NEXT_METERS, SOURCE, toMessage } from './usage-script.ts';
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
    const namespace = sim.draw.pick(NAMESPACES);
    const name = { namespace, source: SOURCE, id };
    const identity = identityOf(namespace, SOURCE, id);
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
      const message = replacement(world, namespace, `amended-${run.name}-${i}`);
      const delivery = toDelivery(message);
      await insist(world, () => amendEvent(context, name, delivery));
      corrections.amendments.push({ message, replaced: identity });
      note('void');
    }
  }
}

/** A replacement comes through a call and not through the topic. It has a `w`, so that no version refuses it. */
function replacement({ sim }: UsageWorld, namespace: string, id: string): Message {
  const draft = drawEvent(sim.draw, id);
  const { data, attributes = {} } = toMessage({ ...draft, namespace, data: { ...draft.data, w: '1' } });
  return { id, data, attributes, publishTime: sim.now(), attempt: 1, ackId: id };
}

/** Publishes dead letters again, and dismisses some: of those, some were still under way, or will be taken by a replay before. */
export async function settleLetters(world: UsageWorld, times: number): Promise<void> {
  const { sim, database } = world;
  const topic = world.topic.open(SUBSCRIPTION);
  for (let i = 0; i < times; i++) {
    await pause(world, LONG_PAUSE_MICROS);
    const namespace = sim.draw.pick(NAMESPACES);
    if (sim.draw.chance(0.7)) {
      const selection = { matching: sim.draw.pick([{}, { type: 'use' }]) };
      await insist(world, () => replayDeadLetters({ database, topic }, namespace, selection, { max: 3 }));
    } else {
      const { letters } = await insist(world, () =>
        listDeadLetters(database, namespace, { state: 'open', limit: 1 }),
      );
      await insist(world, () => database.transact((tx) => dismissDeadLetters(tx, namespace, { letters })));
    }
  }
}

export async function changeMeters(world: UsageWorld, times: number): Promise<void> {
  const { draw } = world.sim;
  for (let i = 0; i < times; i++) {
    await pause(world, LONG_PAUSE_MICROS);
    const [key, definition] = draw.pick(NEXT_METERS);
    const namespace = draw.pick(NAMESPACES);
    const { meter } = await insist(world, () => putMeter(world.database, { namespace, key, definition }));
    if (!draw.chance(1 / 2)) continue;
    const { version } = meter;
    await insist(world, () =>
      world.database.transact((tx) => activateMeter(tx, { namespace, key, version, now: world.sim.now() })),
    );
  }
}

/** Closes and rolls days while events for them still arrive: far more late events than a real feed has. */
export async function roll(world: UsageWorld): Promise<void> {
  let completeThrough = SIMULATION_START - 4 * MICROS_PER_DAY;
  while (completeThrough < SIMULATION_START + MICROS_PER_DAY) {
    await pause(world, LONG_PAUSE_MICROS);
    completeThrough += (1 + world.sim.draw.below(3)) * (MICROS_PER_DAY / 2);
    const through = completeThrough;
    for (const namespace of world.sim.draw.shuffle([...NAMESPACES]))
      await insist(world, () => rollDays(world.database, namespace, through));
  }
}

/** Rolls what is left, until there is nothing left to roll. */
export async function rollRest({ database, sim }: UsageWorld): Promise<void> {
  const through = dayStart(dayOf(sim.now()) + 2);
  for (const namespace of NAMESPACES) while ((await rollDays(database, namespace, through)) > 0);
}

/** The watermark is a promise: whatever was published before it is accounted for. */
export async function watch(world: UsageWorld): Promise<void> {
  const topic = world.topic.open(SUBSCRIPTION);
  const feed = { feed: FEED, worker: 'one', namespace: null, latenessMicros: 0 };
  for (;;) {
    const through = await insist(world, () => storeWatermark({ database: world.database, topic }, feed));
    for (const { id, publishTime } of world.topic.fates(SUBSCRIPTION)) {
      if (through === undefined || publishTime >= through || world.accounted.has(id)) continue;
      throw new Error(`the watermark ${through} passed ${id} of ${publishTime}, which is not accounted for`);
    }
    await pause(world, LONG_PAUSE_MICROS);
  }
}
