import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from './directory.ts';

/** What a producer does with a segment while it appends to it. */
export interface SegmentFile {
  write(bytes: Buffer, position: number): Promise<void>;
  /** Resolves once all that was written survives a power cut. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}
export type CreateSegmentFile = (path: string) => Promise<SegmentFile>;

/** A segment's name is its producer's and a number. */
export const segmentName = (producer: string, ordinal: number): string => `${producer}-${ordinal}`;
export const segmentPath = (directory: string, name: string): string => join(directory, `${name}.log`);
const SEGMENT_FILE = /^(([0-9a-f]{16})-\d+)\.log$/;

/** Where a group lies. */
export interface Place {
  readonly segment: string;
  readonly position: number;
}

/**
 * A message's id is this prefix and its index in its group. It names bytes on the disk: so it is the same in every delivery, also after
 * the index was lost and made again.
 */
export const messageIdPrefix = ({ segment, position }: Place): string => `${segment}.${position}.`;

export interface SegmentName {
  readonly name: string;
  readonly producer: string;
}
/** Undefined for a file that is no segment. */
export function parseSegmentFile(file: string): SegmentName | undefined {
  const [, name, producer] = SEGMENT_FILE.exec(file) ?? [];
  return name === undefined || producer === undefined ? undefined : { name, producer };
}

export const createSegmentFile: CreateSegmentFile = async (path) => {
  const handle = await open(path, 'wx');
  try {
    await syncDirectory(dirname(path));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    write: async (bytes, position) => {
      let written = 0;
      while (written < bytes.length) {
        written += (await handle.write(bytes, written, bytes.length - written, position + written))
          .bytesWritten;
      }
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
};
