import type { Instant } from '#domain/instant.ts';
import type { Place } from './segment-file.ts';
import type { TopicIndex } from './topic-index.ts';

/** A group whose bytes are durable. */
export interface WrittenGroup extends Place {
  readonly length: number;
  readonly count: number;
  readonly writtenAt: Instant;
}

export interface SegmentState {
  /** How many of its bytes are registered. */
  readonly length: number;
  /** Its producer may still append to it, as far as the index knows. */
  readonly open: boolean;
  /** It is about to be deleted: none of its groups may be registered again. */
  readonly retired: boolean;
}

export interface GroupRegister {
  /** Makes the group visible. Its publish time is later than every time that was given out before. */
  register(producer: string, group: WrittenGroup): Promise<Instant>;
  /** Registers what a dead producer wrote and did not register, or whose registration a power cut took; call it in a transaction. */
  recover(producer: string, group: WrittenGroup): void;
  segmentState(segment: string): SegmentState;
  /** The producer writes none of its segments any more; call it in a transaction. */
  closeSegments(producer: string): void;
}

/**
 * The heart of the watermark: publish times are taken inside the transaction that makes a group visible and rise strictly from one
 * transaction to the next. So whoever looks at the topic in a transaction of their own has seen all that was published before.
 */
export function createGroupRegister(index: TopicIndex, clock: () => Instant): GroupRegister {
  const { database, transact } = index;
  const advance = database.prepare(
    'UPDATE clock SET last = max(last + 1, ?), messages = messages + ?, bytes = bytes + ? RETURNING last, messages, bytes',
  );
  const insertGroup = database.prepare('INSERT INTO message_group VALUES (?, ?, ?, ?, ?, ?, ?)');
  const findSegment = database.prepare('SELECT id, open, retired FROM segment WHERE name = ?');
  const insertSegment = database.prepare(
    'INSERT INTO segment (name, producer, open) VALUES (?, ?, 1) RETURNING id',
  );
  const closeOpen = database.prepare('UPDATE segment SET open = 0 WHERE producer = ? AND open = 1');
  const lastGroup = database.prepare(`
    SELECT position + length AS past FROM message_group WHERE segment = ? ORDER BY position DESC LIMIT 1`);

  const segmentId = (producer: string, name: string): number => {
    const known = findSegment.get(name);
    if (known !== undefined) return Number(known['id']);
    closeOpen.run(producer);
    return Number(insertSegment.get(name, producer)?.['id']);
  };
  const insert = (producer: string, group: WrittenGroup, earliest: Instant): Instant => {
    const now = advance.get(earliest, group.count, group.length) as {
      last: number;
      messages: number;
      bytes: number;
    };
    const { position, length, count } = group;
    insertGroup.run(
      now.last,
      segmentId(producer, group.segment),
      position,
      length,
      count,
      now.messages,
      now.bytes,
    );
    return now.last;
  };

  return {
    register: (producer, group) =>
      transact(() => insert(producer, group, Math.max(clock(), group.writtenAt))),
    // The time of writing, not the present time: after a power cut a message must not become younger than it was, because the watermark
    // says that what was published before it is counted. Against all that the index still knows, the time rises nevertheless.
    recover: (producer, group) => void insert(producer, group, group.writtenAt),
    segmentState: (segment) => {
      const known = findSegment.get(segment);
      if (known === undefined) return { length: 0, open: true, retired: false };
      const length = Number(lastGroup.get(Number(known['id']))?.['past'] ?? 0);
      return { length, open: known['open'] === 1, retired: known['retired'] === 1 };
    },
    closeSegments: (producer) => void closeOpen.run(producer),
  };
}
