import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { residentOf, type Resident } from './processes.ts';

/** What a process of Node says of its own memory, in bytes. All of it is part of what the system sees. */
export interface ToldMemory {
  /** Of JavaScript: what is used, garbage that waits to be collected included, and what was taken from the system for it. */
  readonly heapUsedBytes: number;
  readonly heapBytes: number;
  /** Of native objects that belong to JavaScript ones; `arrayBufferBytes` is the greatest part of it. */
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
  /** What the last full collection left of heap and external memory: what lives. Null before the first. */
  readonly keptBytes: number | null;
}

/** Memory of one process; what only it knows is missing where it has not said so. */
export interface ProcessMemory extends Resident, Partial<ToldMemory> {
  readonly pid: number;
  /** What is neither heap nor external: what libraries hold, and what the allocator does not give back. */
  readonly nativeBytes?: number;
}

const TELLER = join(import.meta.dirname, 'tell-memory.ts');

/** Options of Node (`NODE_OPTIONS`) with which a process writes down its memory in that folder, every five seconds. */
export function tellingOptions(folder: string): string {
  const url = pathToFileURL(TELLER);
  url.searchParams.set('folder', folder);
  return `--disable-warning=ExperimentalWarning --import=${url.href}`;
}

/** What the system and the process itself say. Throws when there is no such process. */
export async function memoryOf(pid: number, folder: string): Promise<ProcessMemory> {
  const seen = { pid, ...(await residentOf(pid)) };
  const told = await readFile(join(folder, String(pid)), 'utf8').then(
    (text) => JSON.parse(text) as ToldMemory,
    () => undefined,
  );
  if (told === undefined) return seen;
  return { ...seen, ...told, nativeBytes: seen.anonymousBytes - told.heapBytes - told.externalBytes };
}
