import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MICROS_PER_MINUTE, MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { WarehouseUnavailable } from '../errors.ts';
import { closedFor, type Manifest } from './manifest.ts';
import { parseSegmentFile, removeSegmentFile, type SegmentName } from './segment-file.ts';

/**
 * How long a file that is no part of a table stays. A query that began before it was replaced may read it for so long; if one takes
 * longer it fails, it never gives a wrong answer. An append has so long to get from its file to its manifest row.
 */
export const SWEEP_GRACE_MICROS = 30 * MICROS_PER_MINUTE;

export interface Swept {
  /** Inputs of compactions. */
  readonly replaced: number;
  /** Files of appends and compactions that did not get to their commit. */
  readonly orphans: number;
}

export interface SweepContext {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly tables: readonly string[];
  readonly now: () => Instant;
}

/** Removes files that no table needs any more. Safe beside any reader, writer or other sweep. */
export async function sweepDirectory(context: SweepContext): Promise<Swept> {
  try {
    return { replaced: await sweepReplaced(context), orphans: await sweepOrphans(context) };
  } catch (error) {
    if (error instanceof WarehouseUnavailable) throw error;
    throw new WarehouseUnavailable('the directory of the warehouse cannot be swept', { cause: error });
  }
}

async function sweepReplaced({ directory, manifest, tables, now }: SweepContext): Promise<number> {
  let count = 0;
  for (const table of tables) {
    for (const segment of await manifest.all(table)) {
      const since = closedFor(segment, now());
      if (segment.state !== 'replaced' || since === undefined || since < SWEEP_GRACE_MICROS) continue;
      await removeSegmentFile(directory, segment.file);
      await manifest.forget(segment);
      count++;
    }
  }
  return count;
}

/** The directory is read before the manifest: a file that is committed in between is found in the manifest. */
async function sweepOrphans({ directory, manifest, tables, now }: SweepContext): Promise<number> {
  const names = (await readdir(directory)).map(parseSegmentFile).filter((name) => name !== undefined);
  const known = new Map<string, string>();
  for (const table of tables) {
    for (const { id, state } of await manifest.all(table)) known.set(`${table} ${id}`, state);
  }
  let count = 0;
  for (const name of names) {
    const state = known.get(`${name.table} ${name.id}`);
    if (state === 'live' || state === 'replaced' || !tables.includes(name.table)) continue;
    if (!(await isOlderThanGrace(directory, name, now()))) continue;
    // A writer may only be slow: once its name is taken out of use it cannot commit any more, and only then the file may go.
    if (!(await manifest.abandon(name.table, name.id, name.file))) continue;
    await removeSegmentFile(directory, name.file);
    count++;
  }
  return count;
}

async function isOlderThanGrace(directory: string, { file }: SegmentName, now: Instant): Promise<boolean> {
  const found = await stat(join(directory, file)).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs * MICROS_PER_MILLI >= SWEEP_GRACE_MICROS;
}
