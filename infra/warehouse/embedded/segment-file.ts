import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SegmentFormat } from '../segment.ts';

const EXTENSIONS: Readonly<Record<SegmentFormat, string>> = { text: 'tsv', parquet: 'parquet' };
const SEGMENT_FILE = /^([a-z_]+)-([0-9a-f-]{36})\.(?:tsv|parquet)$/;

/** A name that nothing had before and nothing gets again. */
export interface SegmentName {
  readonly table: string;
  readonly id: string;
  readonly file: string;
}

export function newSegmentName(table: string, format: SegmentFormat): SegmentName {
  const id = randomUUID();
  return { table, id, file: `${table}-${id}.${EXTENSIONS[format]}` };
}

/** Undefined for a file that is no segment. */
export function parseSegmentFile(file: string): SegmentName | undefined {
  const [, table, id] = SEGMENT_FILE.exec(file) ?? [];
  return table === undefined || id === undefined ? undefined : { table, id, file };
}

/** Resolves once the file and its name survive a power cut. Never overwrites; leaves nothing behind when it fails. */
export async function writeSegmentFile(directory: string, file: string, bytes: Uint8Array): Promise<void> {
  const path = join(directory, file);
  const handle = await open(path, 'wx');
  try {
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await syncDirectory(directory);
  } catch (error) {
    await removeQuietly(path);
    throw error;
  }
}

/** The same for a file that another library wrote; gives its length. */
export async function syncSegmentFile(directory: string, file: string): Promise<number> {
  const handle = await open(join(directory, file), 'r+');
  try {
    await handle.datasync();
    const { size } = await handle.stat();
    await syncDirectory(directory);
    return size;
  } finally {
    await handle.close();
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what may not be there. */
export async function removeSegmentFile(directory: string, file: string): Promise<void> {
  try {
    await unlink(join(directory, file));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** On the way out of a failure, whose error says more than a second one would; what stays is swept as an orphan. */
export const removeQuietly = (path: string): Promise<void> => unlink(path).catch(() => undefined);
