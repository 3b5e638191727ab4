import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Instant } from '#domain/instant.ts';
import { TopicCorrupt } from '../errors.ts';
import type { Message } from '../topic.ts';
import { ackIdPrefix } from './ack-id.ts';
import { attributesOf, dataOf, decodeGroup } from './group-format.ts';
import type { Group } from './group-format.ts';
import { indexesOf } from './message-set.ts';
import type { Delivery, StoredGroup } from './pull.ts';
import { readBytes } from './read-bytes.ts';
import { messageIdPrefix, segmentPath } from './segment-file.ts';

const MAX_OPEN_SEGMENTS = 32;

export interface FailedDelivery {
  readonly delivery: Delivery;
  readonly error: unknown;
}
export interface ReadResult {
  readonly messages: Message[];
  readonly failed: readonly FailedDelivery[];
}

export interface GroupReader {
  read(deliveries: readonly Delivery[]): Promise<ReadResult>;
  close(): Promise<void>;
}

/** Reads groups that lie one behind the other in one go; the messages are parts of what was read, not copies. */
export function createGroupReader(directory: string): GroupReader {
  const files = createFileCache(directory);
  // The group that was read last: pulls of a few messages each do not read a large group again and again.
  let latest: { readonly publishTime: Instant; readonly group: Group } | undefined;

  const decodeOnce = (publishTime: Instant, bytesOf: () => Buffer): Group => {
    if (latest?.publishTime !== publishTime) latest = { publishTime, group: decodeGroup(bytesOf()) };
    return latest.group;
  };
  const loadRun = async (run: readonly Delivery[]): Promise<(group: StoredGroup) => Group> => {
    const known = latest;
    if (known !== undefined && run.every(({ group }) => group.publishTime === known.publishTime))
      return () => known.group;
    const { segment, begin, end } = extentOf(run);
    const bytes = await readBytes(await files.open(segment), begin, end - begin);
    return ({ publishTime, position, length }) =>
      decodeOnce(publishTime, () => bytes.subarray(position - begin, position - begin + length));
  };

  const read = async (deliveries: readonly Delivery[]): Promise<ReadResult> => {
    const messages: Message[] = [];
    const failed: FailedDelivery[] = [];
    for (const run of contiguousRuns(deliveries)) {
      try {
        const groupOf = await loadRun(run);
        for (const delivery of run) appendOrFail(messages, failed, delivery, groupOf);
      } catch (error) {
        failed.push(...run.map((delivery) => ({ delivery, error })));
      }
    }
    return { messages, failed };
  };
  return { read, close: files.close };
}

/** In the order of the disk; a group may come several times, when several of its leases are delivered again. */
function contiguousRuns(deliveries: readonly Delivery[]): Delivery[][] {
  const ordered = deliveries.toSorted(({ group: one }, { group: other }) =>
    one.segment === other.segment ? one.position - other.position : one.segment < other.segment ? -1 : 1,
  );
  const runs: Delivery[][] = [];
  let previous: StoredGroup | undefined;
  for (const delivery of ordered) {
    const { group } = delivery;
    const continues =
      previous?.segment === group.segment && group.position <= previous.position + previous.length;
    if (!continues) runs.push([]);
    runs.at(-1)?.push(delivery);
    previous = group;
  }
  return runs;
}

function extentOf(run: readonly Delivery[]): { segment: string; begin: number; end: number } {
  const first = run[0]?.group;
  const last = run.at(-1)?.group;
  if (first === undefined || last === undefined) throw new RangeError('a run has at least one group');
  return { segment: first.segment, begin: first.position, end: last.position + last.length };
}

/** A damaged group holds up itself and no other. */
function appendOrFail(
  messages: Message[],
  failed: FailedDelivery[],
  delivery: Delivery,
  groupOf: (group: StoredGroup) => Group,
): void {
  const { segment, position } = delivery.group;
  try {
    appendMessages(messages, delivery, groupOf(delivery.group));
  } catch (cause) {
    failed.push({
      delivery,
      error: new TopicCorrupt(`group at ${position} of segment ${segment} is damaged`, { cause }),
    });
  }
}

function appendMessages(messages: Message[], delivery: Delivery, group: Group): void {
  const { attempt, group: stored } = delivery;
  const { publishTime } = stored;
  const idPrefix = messageIdPrefix(stored);
  const ackPrefix = ackIdPrefix(publishTime, delivery.delivery);
  for (const index of indexesOf(delivery.messages)) {
    const suffix = String(index);
    messages.push({
      id: idPrefix + suffix,
      data: dataOf(group, index),
      attributes: attributesOf(group, index),
      publishTime,
      attempt,
      ackId: ackPrefix + suffix,
    });
  }
}

/** Segments stay open between pulls, the least recently used is closed. */
function createFileCache(directory: string): {
  readonly open: (segment: string) => Promise<FileHandle>;
  readonly close: () => Promise<void>;
} {
  const files = new Map<string, Promise<FileHandle>>();
  const forget = async (segment: string): Promise<void> => {
    const file = files.get(segment);
    files.delete(segment);
    await file?.then((handle) => handle.close());
  };
  return {
    open: async (segment) => {
      const file = files.get(segment) ?? open(segmentPath(directory, segment), 'r');
      files.delete(segment);
      files.set(segment, file);
      const [eldest] = files.keys();
      if (files.size > MAX_OPEN_SEGMENTS && eldest !== undefined) await forget(eldest);
      return file.catch((error: unknown) => {
        if (files.get(segment) === file) files.delete(segment);
        throw error;
      });
    },
    close: async () => {
      await Promise.allSettled(Array.from(files.keys(), forget));
    },
  };
}
