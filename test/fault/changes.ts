import { watch } from 'node:fs';

/** Resolves at the n-th change to a file of the directory: a write, a new file, a file removed. */
export function changesIn(directory: string, count: number): { seen: Promise<void>; end(): void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let left = count;
  const watcher = watch(directory, () => {
    if (--left === 0) resolve(undefined);
  });
  // A directory that goes away ends the watch; whoever waits has another way out.
  watcher.on('error', () => undefined);
  return { seen: promise, end: () => watcher.close() };
}
