// Loaded into a process ahead of its own program (see `worker-memory.ts`): writes down what only the process itself knows of its memory.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import type { ToldMemory } from './worker-memory.ts';

const TELL_EVERY_MS = 5_000;

const folder = new URL(import.meta.url).searchParams.get('folder');
if (folder === null) throw new TypeError('there is no folder to write memory down in');
const path = join(folder, String(process.pid));

let keptBytes: number | null = null;

const isFull = (entry: object): boolean =>
  'detail' in entry &&
  typeof entry.detail === 'object' &&
  entry.detail !== null &&
  'kind' in entry.detail &&
  entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;

new PerformanceObserver((list) => {
  if (!list.getEntries().some(isFull)) return;
  const { heapUsed, external } = process.memoryUsage();
  keptBytes = heapUsed + external;
}).observe({ entryTypes: ['gc'] });

function tell(): void {
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  const told: ToldMemory = {
    ...{ heapUsedBytes: heapUsed, heapBytes: heapTotal, externalBytes: external },
    ...{ arrayBufferBytes: arrayBuffers, keptBytes },
  };
  // Under another name first, so that whoever reads it finds all of it.
  writeFileSync(`${path}.new`, JSON.stringify(told));
  renameSync(`${path}.new`, path);
}

tell();
setInterval(tell, TELL_EVERY_MS).unref();
