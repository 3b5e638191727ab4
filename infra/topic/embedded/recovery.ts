import { existsSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { TopicCorrupt, TopicUnavailable } from '../errors.ts';
import { hasCode } from './directory.ts';
import { GROUP_HEADER_BYTES, decodeGroup, decodeHeader } from './group-format.ts';
import type { Group } from './group-format.ts';
import type { GroupRegister, WrittenGroup } from './group-register.ts';
import { tryLock, waitForLock } from './lock.ts';
import type { Lock, Pause } from './lock.ts';
import { readBytes } from './read-bytes.ts';
import { parseSegmentFile, segmentPath } from './segment-file.ts';
import type { TopicIndex } from './topic-index.ts';

/** No producer's name. */
const RECOVERY_LOCK = 'recovery';

export interface Recovery {
  /** Messages that were durable and not in the index. */
  readonly recoveredMessages: number;
  /** Bytes behind the last whole group of a segment: what a producer was writing when it died, or damage. They are left alone. */
  readonly unreadableBytes: number;
}

interface ScannedSegment {
  readonly producer: string;
  readonly groups: readonly WrittenGroup[];
  readonly unreadableBytes: number;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly index: TopicIndex;
  readonly register: GroupRegister;
  readonly pause: Pause;
}

/**
 * Registers the groups of dead producers that the index does not know. What a living producer wrote is its own business. One at a time
 * does it and the others wait: nobody may look at the watermark before all that was published before the crash is back.
 */
export async function recoverSegments(options: RecoveryOptions): Promise<Recovery> {
  const lock = await waitForLock(options.directory, RECOVERY_LOCK, options.pause);
  if (lock === undefined)
    throw new TopicUnavailable('another process has not finished the recovery of the topic');
  try {
    return await recoverDeadProducers(options);
  } finally {
    lock.release();
  }
}

async function recoverDeadProducers(options: RecoveryOptions): Promise<Recovery> {
  const locks: Lock[] = [];
  try {
    const scanned: ScannedSegment[] = [];
    for (const [producer, segments] of await unsettledSegments(options)) {
      const lock = tryLock(options.directory, producer);
      if (lock === undefined) continue;
      locks.push(lock);
      for (const segment of segments) scanned.push(await scanSegment(options, producer, segment));
    }
    const recoveredMessages =
      scanned.length === 0 ? 0 : await options.index.transact(() => registerScanned(options, scanned));
    return {
      recoveredMessages,
      unreadableBytes: scanned.reduce((sum, segment) => sum + segment.unreadableBytes, 0),
    };
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** By producer, the segments with bytes that are not registered, or that look as if they were still written. */
async function unsettledSegments({ directory, register }: RecoveryOptions): Promise<Map<string, string[]>> {
  const unsettled = new Map<string, string[]>();
  for (const { name, producer } of (await readdir(directory)).flatMap(
    (file) => parseSegmentFile(file) ?? [],
  )) {
    const { length, open, retired } = register.segmentState(name);
    if (retired || (!open && (await fileLength(segmentPath(directory, name))) <= length)) continue;
    unsettled.set(producer, [...(unsettled.get(producer) ?? []), name]);
  }
  return unsettled;
}

async function fileLength(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

async function scanSegment(
  options: RecoveryOptions,
  producer: string,
  segment: string,
): Promise<ScannedSegment> {
  const handle = await openIfPresent(segmentPath(options.directory, segment));
  if (handle === undefined) return { producer, groups: [], unreadableBytes: 0 };
  try {
    // Read only now, under the producer's lock: until then the producer may have registered more.
    let position = options.register.segmentState(segment).length;
    const groups: WrittenGroup[] = [];
    for (
      let group = await readGroup(handle, position);
      group !== undefined;
      group = await readGroup(handle, position)
    ) {
      groups.push({
        segment,
        position,
        length: group.length,
        count: group.count,
        writtenAt: group.writtenAt,
      });
      position += group.length;
    }
    // A group that only the page cache has must not be delivered: after a power cut a replay would miss it.
    if (groups.length > 0) await handle.datasync();
    return { producer, groups, unreadableBytes: Math.max((await handle.stat()).size - position, 0) };
  } finally {
    await handle.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Undefined where no whole, undamaged group begins. */
async function readGroup(handle: FileHandle, position: number): Promise<Group | undefined> {
  const header = decodeHeader(await readBytes(handle, position, GROUP_HEADER_BYTES));
  if (header === undefined) return undefined;
  try {
    return decodeGroup(await readBytes(handle, position, header.length));
  } catch (error) {
    if (error instanceof TopicCorrupt) return undefined;
    throw error;
  }
}

function registerScanned(
  { directory, register }: RecoveryOptions,
  scanned: readonly ScannedSegment[],
): number {
  const found = scanned
    .flatMap(({ producer, groups }) => groups.map((group) => ({ producer, group })))
    // A segment deleted meanwhile (retired first, in a transaction) has nothing to deliver any more.
    .filter(({ group }) => !register.segmentState(group.segment).retired)
    .filter(({ group }) => existsSync(segmentPath(directory, group.segment)))
    .sort((one, other) => one.group.writtenAt - other.group.writtenAt);
  for (const { producer, group } of found) register.recover(producer, group);
  for (const { producer } of scanned) register.closeSegments(producer);
  return found.reduce((sum, { group }) => sum + group.count, 0);
}
