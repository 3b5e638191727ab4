import { randomBytes } from 'node:crypto';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import { tryLock } from './lock.ts';
import type { Lock } from './lock.ts';
import { segmentName, segmentPath } from './segment-file.ts';
import type { CreateSegmentFile, Place, SegmentFile } from './segment-file.ts';

/** A segment is deleted as a whole: one that stays open for long would keep old messages on the disk. */
const MAX_SEGMENT_AGE_MICROS = MICROS_PER_DAY;
const PRODUCER_ID_BYTES = 8;

export interface SegmentWriter {
  readonly producer: string;
  /** Resolves once the group is durable. After a failure nothing of it is left that a reader would take for a group. */
  append(group: Buffer): Promise<Place>;
  /** The next group begins a new segment. */
  abandon(): Promise<void>;
  close(): Promise<void>;
}

interface OpenSegment {
  readonly name: string;
  readonly file: SegmentFile;
  readonly createdAt: Instant;
  length: number;
}

export interface SegmentWriterOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly clock: () => Instant;
  readonly createFile: CreateSegmentFile;
}

/** Appends one group after the other (never two at once) to segments that no other producer writes. */
export function createSegmentWriter({
  directory,
  segmentBytes,
  clock,
  createFile,
}: SegmentWriterOptions): SegmentWriter {
  const producer = randomBytes(PRODUCER_ID_BYTES).toString('hex');
  let lock: Lock | undefined;
  let segments = 0;
  let current: OpenSegment | undefined;

  const createSegment = async (): Promise<OpenSegment> => {
    // Before the first file: recovery takes a segment whose producer holds no lock for a dead one's.
    lock ??= tryLock(directory, producer);
    if (lock === undefined) throw new Error(`another process holds the lock of producer ${producer}`);
    const name = segmentName(producer, ++segments);
    return { name, file: await createFile(segmentPath(directory, name)), createdAt: clock(), length: 0 };
  };
  const isFull = (segment: OpenSegment, group: Buffer): boolean =>
    (segment.length > 0 && segment.length + group.length > segmentBytes) ||
    clock() - segment.createdAt > MAX_SEGMENT_AGE_MICROS;

  /** A segment after an error is not written again: what of it is in memory and what on the disk is no longer known. */
  const abandon = async (): Promise<void> => {
    const segment = current;
    current = undefined;
    // A tail that cannot be cut off either has a wrong checksum or is a whole group, which may then be delivered after all.
    await segment?.file.truncate(segment.length).catch(() => undefined);
    await segment?.file.close().catch(() => undefined);
  };
  const closeSegment = async (): Promise<void> => {
    await current?.file.close();
    current = undefined;
  };

  const append = async (group: Buffer): Promise<Place> => {
    if (current !== undefined && isFull(current, group)) await closeSegment();
    const segment = (current ??= await createSegment());
    try {
      await segment.file.write(group, segment.length);
      await segment.file.sync();
    } catch (error) {
      await abandon();
      throw error;
    }
    const place = { segment: segment.name, position: segment.length };
    segment.length += group.length;
    return place;
  };

  const close = async (): Promise<void> => {
    await closeSegment();
    lock?.release();
    lock = undefined;
  };
  return { producer, append, abandon, close };
}
