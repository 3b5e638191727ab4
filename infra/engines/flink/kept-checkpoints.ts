import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** As Flink lays them out: a folder for each job, in it one for each checkpoint. */
const CHECKPOINT = /^chk-(\d{1,15})$/;
/** It is written last: without it there is no checkpoint yet. */
const METADATA = '_metadata';

/** A checkpoint that a job can go on from. */
export interface KeptCheckpoint {
  readonly path: string;
  /** The folder of its job. */
  readonly jobFolder: string;
  /** Of the checkpoints of a job, and of all jobs that went on from one of them. */
  readonly number: number;
  readonly writtenAtMs: number;
}

/**
 * The newest of any job below the folder, where each has gone on from the newest before it; undefined where there is none, or no such folder. Flink goes on
 * numbering then, so that a clock that was set back does not matter.
 */
export async function newestCheckpoint(folder: string): Promise<KeptCheckpoint | undefined> {
  const jobs = await foldersIn(folder);
  const found = await Promise.all(jobs.map((job) => checkpointsOf(join(folder, job))));
  return found.flat().toSorted((a, b) => b.number - a.number || b.writtenAtMs - a.writtenAtMs)[0];
}

/** Removes what other jobs have left below the folder than that of the checkpoint. Nothing may run that needs it. */
export async function removeOtherCheckpoints(
  folder: string,
  { jobFolder }: Pick<KeptCheckpoint, 'jobFolder'>,
): Promise<void> {
  for (const job of await foldersIn(folder)) {
    const path = join(folder, job);
    if (path !== jobFolder) await rm(path, { recursive: true, force: true });
  }
}

async function checkpointsOf(jobFolder: string): Promise<KeptCheckpoint[]> {
  const names = await foldersIn(jobFolder);
  const found = await Promise.all(names.map((name) => checkpointAt(jobFolder, name)));
  return found.flatMap((checkpoint) => checkpoint ?? []);
}

async function checkpointAt(jobFolder: string, name: string): Promise<KeptCheckpoint | undefined> {
  const [, number] = CHECKPOINT.exec(name) ?? [];
  if (number === undefined) return undefined;
  const path = join(jobFolder, name);
  const metadata = await unlessMissing(stat(join(path, METADATA)), undefined);
  return metadata && { path, jobFolder, number: Number(number), writtenAtMs: metadata.mtimeMs };
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true }), []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** What a job that runs removes meanwhile is not there. */
async function unlessMissing<Found, Otherwise>(
  found: Promise<Found>,
  otherwise: Otherwise,
): Promise<Found | Otherwise> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}
