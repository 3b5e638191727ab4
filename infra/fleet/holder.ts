import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { AckId, Message, Topic } from '#infra/topic/topic.ts';
import { carriedAckId, isHolderId, type HolderId } from './carried-ack-id.ts';
import { createHoldings, type Held } from './holder-holdings.ts';

/** What one holder may have in other hands at a time, and for how long it keeps the leases of it. */
export interface HeldBounds {
  readonly messagesMax: number;
  /** Of the messages' own bytes. One pull may pass it, the next does not begin. */
  readonly bytesMax: number;
  /** A message that nobody acknowledged for so long is let go: its lease ends, and it comes again. */
  readonly secondsMax: number;
}

export const DEFAULT_HELD_BOUNDS: HeldBounds = {
  messagesMax: 20_000,
  bytesMax: 128 * 1024 * 1024,
  secondsMax: 120,
};

/**
 * A reader that neither reads nor has just read for so long, or for a deadline if that is longer, reads no more: its messages are let go. It is longer
 * than a bundle of the sink waits for its store, since runners ask for no round meanwhile: what would come again is in their hands.
 */
export const READER_SILENT_MS = 90_000;
/** A lease is extended when a third of it is over, and looked at twice as often. */
const EXTEND_AFTER = 1 / 3;
export const LOOKS_PER_DEADLINE = 6;

/**
 * Holds messages of a feed that others commit: keeps their leases until it hears that they are acknowledged, and bounds how many there are.
 * Each gets an ordinal of this holder, which its acknowledgement id carries.
 */
export interface Holder {
  readonly id: HolderId;
  /** The handle that it pulls. */
  readonly topic: Pick<Topic, 'oldestUnacknowledged'>;
  /** How many more it may be given now. */
  room(): number;
  /** Whether it takes more, from now on. What it holds it goes on holding. */
  setTaking(isTaking: boolean): void;
  /** Nothing is in other hands, and nothing on its way here. */
  isEmpty(): boolean;
  /** At most `max` messages, and no more than there is room for. Throws what the topic throws. */
  pull(reader: string, max: number): Promise<Message[]>;
  /** The reader is reading, until the function that it returns is called. */
  reads(reader: string): () => void;
  /** These were acknowledged. Those it does not know, or knows no more, change nothing. */
  settle(ordinals: readonly number[]): void;
  /** What the reader was given is not in the runner's hands any more, or will not be: it comes again at the end of its leases. */
  letGo(reader: string): void;
  /** Extends leases before they end, and lets go what is held for too long. To be called `LOOKS_PER_DEADLINE` times in a deadline. */
  keepLeases(): Promise<void>;
  /** Gives everything back and takes nothing more. */
  close(): Promise<void>;
  held(): { readonly messages: number; readonly bytes: number };
}

export interface HolderOptions {
  readonly id: HolderId;
  /** The handle that pulls; nobody else pulls it. */
  readonly topic: Topic;
  readonly ackDeadlineSeconds: number;
  readonly bounds: HeldBounds;
  readonly scheduler: Scheduler;
  /** Told how many messages were let go since nobody acknowledged them. */
  readonly onLetGo?: (messages: number) => void;
}

export function createHolder(options: HolderOptions): Holder {
  const { id, topic, bounds, scheduler } = options;
  if (!isHolderId(id)) throw new RangeError(`not the id of a holder: ${id}`);
  const holdings = createHoldings();
  const readers = createReaders(options);
  let coming = 0;
  let isClosed = false;
  let isTaking = true;

  const room = (): number => {
    const { messages, bytes } = holdings.size();
    return isClosed || !isTaking || bytes >= bounds.bytesMax
      ? 0
      : Math.max(0, bounds.messagesMax - messages - coming);
  };
  const take = (reader: string, messages: readonly Message[], pulledAt: Instant): Message[] => {
    const lease = { reader, takenAt: pulledAt, leasedUntil: pulledAt + deadlineMicros(options) };
    return messages.map((message) => {
      const { ackId, data } = message;
      const ordinal = holdings.add({ ...lease, ackId, bytes: data.length });
      return { ...message, ackId: carriedAckId({ holder: id, ordinal, ackId }) };
    });
  };
  return {
    id,
    topic,
    room,
    setTaking: (now) => void (isTaking = now),
    isEmpty: () => coming === 0 && holdings.size().messages === 0,
    pull: async (reader, max) => {
      const most = Math.min(max, room());
      if (most < 1) return [];
      coming += most;
      try {
        // Counted from before the call, so that a lease never seems longer than it is.
        const pulledAt = scheduler.now();
        const messages = await topic.pull(most);
        if (!isClosed) return take(reader, messages, pulledAt);
        await topic.release(messages.map(({ ackId }) => ackId));
        return [];
      } finally {
        coming -= most;
      }
    },
    reads: readers.begin,
    settle: (ordinals) => {
      const ids = holdings.settle(ordinals);
      if (ids.length > 0) topic.forget?.(ids);
    },
    letGo: (reader) => holdings.letGo((held) => held.reader === reader),
    keepLeases: async () => {
      const now = scheduler.now();
      const before = holdings.size().messages;
      holdings.letGo((held) => isTooLong(held, now, bounds) || readers.isSilent(held.reader, now));
      const gone = before - holdings.size().messages;
      if (gone > 0) options.onLetGo?.(gone);
      await extend(options, holdings.endingBefore(now + deadlineMicros(options) * (1 - EXTEND_AFTER)));
    },
    close: async () => {
      isClosed = true;
      const ids = holdings.clear();
      if (ids.length > 0) await topic.release(ids);
    },
    held: holdings.size,
  };
}

const deadlineMicros = ({ ackDeadlineSeconds }: Pick<HolderOptions, 'ackDeadlineSeconds'>): number =>
  ackDeadlineSeconds * MICROS_PER_SECOND;

const isTooLong = ({ takenAt }: Held, now: Instant, { secondsMax }: HeldBounds): boolean =>
  now - takenAt > secondsMax * MICROS_PER_SECOND;

/** A lease that could not be extended is extended at the next turn, or ends, and its message comes again. */
async function extend(
  { topic, scheduler, ackDeadlineSeconds }: HolderOptions,
  ending: readonly Held[],
): Promise<void> {
  if (ending.length === 0) return;
  const ids: AckId[] = ending.map(({ ackId }) => ackId);
  const leasedUntil = scheduler.now() + deadlineMicros({ ackDeadlineSeconds });
  await topic.extend(ids, ackDeadlineSeconds);
  for (const held of ending) held.leasedUntil = leasedUntil;
}

/** Who reads, and when who did not was last heard of. */
function createReaders({ scheduler, ackDeadlineSeconds }: HolderOptions) {
  const readers = new Map<string, { reading: number; lastAt: Instant }>();
  const silentMicros = Math.max(READER_SILENT_MS * MICROS_PER_MILLI, ackDeadlineSeconds * MICROS_PER_SECOND);
  return {
    begin: (name: string): (() => void) => {
      const reader = readers.get(name) ?? { reading: 0, lastAt: 0 };
      readers.set(name, reader);
      reader.reading++;
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        reader.reading--;
        reader.lastAt = scheduler.now();
      };
    },
    isSilent: (name: string, now: Instant): boolean => {
      const reader = readers.get(name);
      return reader === undefined || (reader.reading === 0 && now - reader.lastAt > silentMicros);
    },
  };
}
