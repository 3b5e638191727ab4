import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import { below, chance, delay } from '#infra/database/hostile/schedule.ts';
import type { Schedule } from '#infra/database/hostile/schedule.ts';
import { TopicUnavailable } from '../errors.ts';
import { MAX_ACK_DEADLINE_SECONDS, measurePublish } from '../limits.ts';
import type { AckId, Message, MessageId, Topic, Unacknowledged } from '../topic.ts';
import * as feeds from './feed.ts';
import type { Feed, Log, StoredMessage } from './feed.ts';

/** How often what goes wrong; each is a probability, per operation where nothing else is said. */
export interface TopicFaults {
  /** The answer of a publish or an acknowledgement is lost: it may or may not have been done. */
  readonly lostAnswer: number;
  /** An answer is overtaken by what others do. */
  readonly delay: number;
  /** Per message in a pull: it is delivered although its lease runs, or although it was acknowledged. */
  readonly redeliver: number;
  /** Per message in a pull: it is delivered twice in one answer. */
  readonly duplicate: number;
  /** A pull brings less than there is. */
  readonly withhold: number;
  /** Per delivery: an acknowledgement that comes after the deadline is forgotten. */
  readonly forgetLateAck: number;
  /** The topic cannot tell its oldest unacknowledged message. */
  readonly unknownOldest: number;
}

export const noTopicFaults: TopicFaults = {
  lostAnswer: 0,
  delay: 0,
  redeliver: 0,
  duplicate: 0,
  withhold: 0,
  forgetLateAck: 0,
  unknownOldest: 0,
};

/** Every kind of trouble a topic makes by itself, often enough that a short simulation sees several. */
export const commonTopicFaults: TopicFaults = {
  lostAnswer: 0.1,
  delay: 0.2,
  redeliver: 0.1,
  duplicate: 0.05,
  withhold: 0.3,
  forgetLateAck: 0.5,
  unknownOldest: 0.1,
};

export interface HostileTopicOptions {
  readonly schedule: Schedule;
  readonly faults: TopicFaults;
  readonly ackDeadlineSeconds?: number;
}

/** A topic as it stands somewhere in the network; what uses it opens handles. */
export interface HostileTopic {
  /** A handle on the topic through that subscription, which exists from then on and begins with the oldest message. */
  open(subscription: string): Topic;
  setFaults(faults: TopicFaults): void;
  /** Every operation fails with `TopicUnavailable` until this much time has gone by; 0 ends an outage. */
  failFor(micros: number): void;
  /** Everything ever published and what became of it in a subscription, at once and without any fault. */
  fates(subscription: string): MessageFate[];
}

export interface MessageFate {
  readonly id: MessageId;
  readonly publishTime: Instant;
  readonly deliveries: number;
  /** When its last lease ends, or has ended. */
  readonly leasedUntil: Instant;
  readonly acknowledged: boolean;
}

const DEFAULT_ACK_DEADLINE_SECONDS = 60;

interface Engine {
  readonly schedule: Schedule;
  readonly log: Log;
  readonly feeds: Map<string, Feed>;
  readonly ackDeadlineSeconds: number;
  faults: TopicFaults;
  downUntil: Instant;
}

/** One opened handle. */
interface Handle {
  readonly engine: Engine;
  readonly feed: Feed;
  closed: boolean;
}

/** The way of a request to the topic, and what the topic does at the moment it arrives; then the way of the answer. */
async function perform<Result>(handle: Handle, label: string, act: () => Result): Promise<Result> {
  const { engine } = handle;
  const { schedule } = engine;
  if (handle.closed) throw new TopicUnavailable(`cannot ${label}: the topic is closed`);
  await schedule.point(label);
  if (schedule.now() < engine.downUntil) throw new TopicUnavailable(`cannot ${label}: the topic is down`);
  const result = act();
  await delay(schedule, engine.faults.delay, `${label}: late answer`);
  return result;
}

/** Like `perform`, but the answer may be lost, after the deed or with it. */
function performUnsure<Result>(handle: Handle, label: string, act: () => Result): Promise<Result> {
  return perform(handle, label, () => {
    const { schedule, faults } = handle.engine;
    if (!chance(schedule, faults.lostAnswer)) return act();
    if (chance(schedule, 1 / 2)) act();
    throw new TopicUnavailable(`cannot ${label}: the answer was lost`);
  });
}

function shuffle<Item>(schedule: Schedule, items: Item[]): Item[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = below(schedule, last + 1);
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}

/** What this pull delivers, in the order of the seed. */
function choose({ engine: { schedule, faults }, feed }: Handle, max: number): StoredMessage[] {
  const now = schedule.now();
  const candidates: StoredMessage[] = [];
  for (const message of feeds.messagesOf(feed)) {
    const again = message.attempt > 0 && chance(schedule, faults.redeliver);
    if (!again && !feeds.isDeliverable(message, now)) continue;
    candidates.push(message);
    if (chance(schedule, faults.duplicate)) candidates.push(message);
  }
  const most = chance(schedule, faults.withhold) ? below(schedule, max) : max;
  return shuffle(schedule, candidates).slice(0, most);
}

function pull(handle: Handle, max: number): Message[] {
  const { schedule, ackDeadlineSeconds } = handle.engine;
  const until = schedule.now() + Math.ceil(ackDeadlineSeconds * MICROS_PER_SECOND);
  return choose(handle, max).map((message) => feeds.lease(handle.feed, message, until));
}

function checkSeconds(seconds: number): void {
  if (seconds > 0 && seconds <= MAX_ACK_DEADLINE_SECONDS) return;
  throw new RangeError(`a deadline is above 0 and up to ${MAX_ACK_DEADLINE_SECONDS} seconds, not ${seconds}`);
}

function checkMax(max: number): void {
  if (Number.isSafeInteger(max) && max >= 1) return;
  throw new RangeError(`a pull is of at least one message, not of ${max}`);
}

function acknowledge({ engine, feed }: Handle, ids: readonly AckId[]): void {
  const { schedule, faults } = engine;
  feeds.acknowledge(feed, ids, schedule.now(), () => !chance(schedule, faults.forgetLateAck));
}

function oldestUnacknowledged({ engine, feed }: Handle): Unacknowledged | 'unknown' {
  const { schedule, faults } = engine;
  return chance(schedule, faults.unknownOldest)
    ? 'unknown'
    : feeds.oldestUnacknowledged(feed, schedule.now());
}

function operations(handle: Handle): Topic {
  const { engine, feed } = handle;
  const now = (): Instant => engine.schedule.now();
  return {
    async publish(messages) {
      measurePublish(messages);
      return performUnsure(handle, 'publish', () => feeds.publish(engine.log, messages, now()));
    },
    async pull(max) {
      checkMax(max);
      return perform(handle, 'pull', () => pull(handle, max));
    },
    ack: (ids) => performUnsure(handle, 'ack', () => acknowledge(handle, ids)),
    release: (ids) => perform(handle, 'release', () => feeds.release(feed, ids, now())),
    async extend(ids, seconds) {
      checkSeconds(seconds);
      return perform(handle, 'extend', () => feeds.extend(feed, ids, now(), seconds));
    },
    seek: (to) => perform(handle, 'seek', () => feeds.seek(feed, to)),
    oldestUnacknowledged: () => perform(handle, 'oldest unacknowledged', () => oldestUnacknowledged(handle)),
    async close() {
      handle.closed = true;
    },
  };
}

function feedOf({ feeds: opened, log }: Engine, subscription: string): Feed {
  const feed = opened.get(subscription) ?? feeds.createFeed(log);
  opened.set(subscription, feed);
  return feed;
}

const fateOf = ({ published, attempt, leasedUntil, acknowledged }: StoredMessage): MessageFate => ({
  id: published.id,
  publishTime: published.publishTime,
  deliveries: attempt,
  leasedUntil,
  acknowledged,
});

/** The topic of a simulation: at least once and in no order, as often and as disordered as the seed likes. */
export function openHostileTopic(options: HostileTopicOptions): HostileTopic {
  const { schedule, faults, ackDeadlineSeconds = DEFAULT_ACK_DEADLINE_SECONDS } = options;
  checkSeconds(ackDeadlineSeconds);
  const engine: Engine = {
    schedule,
    faults,
    ackDeadlineSeconds,
    log: feeds.createLog(),
    feeds: new Map(),
    downUntil: Number.MIN_SAFE_INTEGER,
  };
  return {
    open: (subscription) => operations({ engine, feed: feedOf(engine, subscription), closed: false }),
    setFaults(changed) {
      engine.faults = changed;
    },
    failFor(micros) {
      engine.downUntil = schedule.now() + micros;
    },
    fates: (subscription) => feeds.messagesOf(feedOf(engine, subscription)).map(fateOf),
  };
}
