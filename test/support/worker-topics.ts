import type { Instant } from '#domain/instant.ts';
import type { HostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { Message, Topic, Unacknowledged } from '#infra/topic/topic.ts';
import type { Simulation } from './simulation.ts';

export interface WorkerTopicsOptions {
  readonly sim: Simulation;
  readonly topic: HostileTopic;
  readonly subscription: string;
  /** A message that waits longer than this after its lease was over waits since nobody had room for it. */
  readonly redeliveryMicros: number;
}

/** The topic as the workers of a fleet have it. */
export interface WorkerTopics {
  /** A handle that can tell only what it was given, and whether everything was delivered to somebody: as on an emulator. */
  open(): Topic;
  /** Every message that has come to a worker, by its id: one that is on its way to it is nobody's yet. */
  readonly arrived: ReadonlyMap<string, Message>;
}

export function workerTopics(options: WorkerTopicsOptions): WorkerTopics {
  const { sim, topic, subscription } = options;
  const arrived = new Map<string, Message>();
  /** When somebody last had no room: a message waited longer than the topic promises. */
  let brokenAt: Instant = 0;
  const open = (): Topic => {
    const handle = topic.open(subscription);
    let askedAt = sim.now();
    return {
      ...handle,
      pull: async (max) => {
        const messages = await handle.pull(max);
        for (const message of messages) arrived.set(message.id, message);
        return messages;
      },
      oldestUnacknowledged: async (): Promise<Unacknowledged | 'unknown'> => {
        const seen = await handle.oldestUnacknowledged();
        if (seen === 'unknown') return 'unknown';
        if (hasDelays(options)) brokenAt = sim.now();
        const hadRoom = brokenAt < askedAt;
        askedAt = sim.now();
        return { scope: 'worker', at: hadRoom ? deliveredThrough(options, arrived, seen.at) : 0 };
      },
    };
  };
  return { open, arrived };
}

const hasDelays = ({ sim, topic, subscription, redeliveryMicros }: WorkerTopicsOptions): boolean =>
  topic
    .fates(subscription)
    .some(
      ({ acknowledged, deliveries, leasedUntil }) =>
        !acknowledged && deliveries > 0 && sim.now() - leasedUntil > redeliveryMicros,
    );

const deliveredThrough = (
  { topic, subscription }: WorkerTopicsOptions,
  arrived: WorkerTopics['arrived'],
  now: Instant,
): Instant =>
  Math.min(
    now,
    ...topic
      .fates(subscription)
      .filter(({ id }) => !arrived.has(id))
      .map(({ publishTime }) => publishTime),
  );
