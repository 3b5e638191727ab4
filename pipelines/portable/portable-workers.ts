import { createRuntimeRegistry } from '#pipelines/beam/runtime-registry.ts';
import type { PortableWorker } from './portable-worker.ts';

/**
 * Who opens the worker of this process, by the name that the DoFns of a graph carry. All of them share the one that is open; one that could
 * not be opened is tried again by the next.
 */
const openers = createRuntimeRegistry<() => Promise<PortableWorker>>();

/** From now on DoFns of this process find under that name what `open` opens, when the first of them needs it. */
export function provideWorker(name: string, open: () => Promise<PortableWorker>): void {
  let opening: Promise<PortableWorker> | undefined;
  const openOnce = (): Promise<PortableWorker> =>
    (opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));
  openers.provide(name, openOnce);
}

export const withdrawWorker = (name: string): void => openers.withdraw(name);

/** Throws where there is none of that name, and what opening it throws. */
export const openedWorker = async (name: string): Promise<PortableWorker> => openers.named(name)();
