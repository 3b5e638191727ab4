import { readFile } from 'node:fs/promises';

/** What the system says of other processes of this machine; Linux only. */

/** User and system time of a process, and of the threads that have ended; fields 14 and 15 of proc(5). */
const TIME_FIELDS = [11, 12];
/** Linux tells it in hundredths of a second everywhere. */
const MICROS_PER_TICK = 10_000;
const BYTES_PER_KILOBYTE = 1_024;

/** CPU that a process has used, in microseconds. Throws when there is no such process. */
export async function cpuMicrosOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return TIME_FIELDS.reduce((sum, field) => sum + Number(fields[field]) * MICROS_PER_TICK, 0);
}

/** The same of several together; one that has ended counts for nothing. */
export async function cpuMicrosOfAll(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map((pid) => cpuMicrosOf(pid).catch(() => 0)));
  return each.reduce((sum, micros) => sum + micros, 0);
}

/** Memory of a process, in bytes. */
export interface Resident {
  /** All that it has in RAM. */
  readonly residentBytes: number;
  /** Of that what is no part of a file: heaps, and what libraries allocate. */
  readonly anonymousBytes: number;
}

/** What a process has in RAM. Throws when there is no such process. */
export async function residentOf(pid: number): Promise<Resident> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const bytesOf = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * BYTES_PER_KILOBYTE;
  return { residentBytes: bytesOf('VmRSS'), anonymousBytes: bytesOf('RssAnon') };
}
