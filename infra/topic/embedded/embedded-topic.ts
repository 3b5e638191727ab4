import { setTimeout } from 'node:timers/promises';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import { MAX_ACK_DEADLINE_SECONDS } from '../limits.ts';
import type { AckId, Message, Topic } from '../topic.ts';
import { parseAckIds } from './ack-id.ts';
import { createGroupReader } from './group-reader.ts';
import type { FailedDelivery, GroupReader } from './group-reader.ts';
import { createGroupRegister } from './group-register.ts';
import type { GroupRegister } from './group-register.ts';
import type { Pause } from './lock.ts';
import { createOperations, explained } from './operations.ts';
import { createPublisher } from './publisher.ts';
import { recoverSegments } from './recovery.ts';
import type { Recovery } from './recovery.ts';
import { deleteOldSegments } from './retention.ts';
import type { Retention } from './retention.ts';
import { createSegmentFile } from './segment-file.ts';
import type { CreateSegmentFile } from './segment-file.ts';
import { createSegmentWriter } from './segment-writer.ts';
import { openSubscription } from './subscription.ts';
import type { Backlog, Subscription } from './subscription.ts';
import { openIndex } from './topic-index.ts';
import type { TopicIndex } from './topic-index.ts';

const DEFAULT_ACK_DEADLINE_SECONDS = 60;
const DEFAULT_RETENTION_DAYS = 7;
const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;

export interface EmbeddedTopicOptions {
  /** Made if it is not there; any number of processes of one machine may open it. */
  readonly directory: string;
  readonly subscription: string;
  readonly clock: () => Instant;
  readonly ackDeadlineSeconds?: number;
  readonly retentionDays?: number;
  /** A segment is closed before it grows beyond this. */
  readonly segmentBytes?: number;
  /** How a segment's file is written; the file system's own way unless told otherwise. */
  readonly createFile?: CreateSegmentFile;
  /** How to wait for another process that recovers the topic. */
  readonly pause?: Pause;
}

export type Maintenance = Recovery & Retention;

export interface EmbeddedTopic extends Topic {
  backlog(): Promise<Backlog>;
  /** Deletes what is older than the retention, and takes in what producers that died left behind. To be called every now and then. */
  maintain(now: Instant): Promise<Maintenance>;
}

export async function openTopic(options: EmbeddedTopicOptions): Promise<EmbeddedTopic> {
  const { ackDeadlineSeconds = DEFAULT_ACK_DEADLINE_SECONDS, pause = setTimeout } = options;
  checkSeconds(ackDeadlineSeconds);
  const index = await explained('open', () => openIndex(options.directory));
  try {
    const register = createGroupRegister(index, options.clock);
    const parts = { ...options, ackDeadlineSeconds, pause, index, register };
    await explained('open', () => recoverSegments(parts));
    const subscription = await openSubscription({ ...parts, name: options.subscription });
    return createHandle({ ...parts, subscription });
  } catch (error) {
    index.close();
    throw error;
  }
}

interface Parts extends Omit<EmbeddedTopicOptions, 'subscription'> {
  readonly index: TopicIndex;
  readonly register: GroupRegister;
  readonly pause: Pause;
  readonly subscription: Subscription;
}

function createHandle(parts: Parts): EmbeddedTopic {
  const { directory, clock, index, register, subscription } = parts;
  const { retentionDays = DEFAULT_RETENTION_DAYS, segmentBytes = DEFAULT_SEGMENT_BYTES } = parts;
  const writer = createSegmentWriter({
    directory,
    segmentBytes,
    clock,
    createFile: parts.createFile ?? createSegmentFile,
  });
  const publisher = createPublisher({ writer, register, clock });
  const reader = createGroupReader(directory);
  const { run, close } = createOperations(async () => {
    try {
      await reader.close();
      await index.transact(() => register.closeSegments(writer.producer));
    } finally {
      await writer.close();
      index.close();
    }
  });

  return {
    publish: (messages) => run('publish', () => publisher.publish(messages)),
    pull: (max) => run('pull', () => pullMessages(subscription, reader, max)),
    ack: (ids) => run('acknowledge', () => change(ids, subscription.acknowledge)),
    release: (ids) => run('release', () => change(ids, subscription.release)),
    extend: (ids, seconds) =>
      run('extend', async () => {
        checkSeconds(seconds);
        await change(ids, (delivered) => subscription.extend(delivered, seconds));
      }),
    seek: (to) => run('seek', () => subscription.seek(checkInstant(to))),
    oldestUnacknowledged: () => run('look at the log', subscription.oldestUnacknowledged),
    backlog: () => run('count the backlog', subscription.backlog),
    maintain: (now) =>
      run('maintain the log', async () => ({
        ...(await recoverSegments(parts)),
        ...(await deleteOldSegments(directory, index, checkInstant(now) - retentionDays * MICROS_PER_DAY)),
      })),
    close,
  };
}

async function change(
  ids: readonly AckId[],
  apply: (delivered: ReturnType<typeof parseAckIds>) => Promise<void>,
): Promise<void> {
  if (ids.length > 0) await apply(parseAckIds(ids));
}

async function pullMessages(
  subscription: Subscription,
  reader: GroupReader,
  max: number,
): Promise<Message[]> {
  if (!Number.isSafeInteger(max) || max < 1)
    throw new RangeError(`a pull is of at least one message, not of ${max}`);
  const deliveries = await subscription.lease(max);
  const { messages, failed } = await reader.read(deliveries);
  // What retention deleted since it was leased is no failure: it was reported as dropped.
  const kept = failed.filter(({ delivery }) => subscription.isKept(delivery.group.publishTime));
  if (kept.length > 0) throw await giveBack(subscription, messages, kept);
  return messages;
}

/** The messages that could be read are free again at once; the others wait for their deadline, so that they do not block the log. */
async function giveBack(
  subscription: Subscription,
  messages: readonly Message[],
  failed: readonly FailedDelivery[],
): Promise<unknown> {
  await change(
    messages.map((message) => message.ackId),
    subscription.release,
  );
  return failed[0]?.error;
}

function checkSeconds(seconds: number): void {
  if (seconds > 0 && seconds <= MAX_ACK_DEADLINE_SECONDS) return;
  throw new RangeError(
    `an acknowledgement deadline is above 0 and up to ${MAX_ACK_DEADLINE_SECONDS} seconds, not ${seconds}`,
  );
}

function checkInstant(at: Instant): Instant {
  if (!Number.isSafeInteger(at)) throw new RangeError(`not an instant in whole microseconds: ${at}`);
  return at;
}
