import { mkdir } from 'node:fs/promises';
import { systemScheduler } from '#infra/scheduler.ts';
import { tryLock, type Lock } from '#infra/topic/embedded/lock.ts';
import { EmulatorUnavailable, type EmulatorSettings } from './emulator.ts';

/** Something of the cache folder that takes long to make. */
export interface Preparation<Found> {
  /** Where it lies, and the lock of those who want it. */
  readonly folder: string;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Told once when another process is making it: the whole sentence. */
  readonly waiting: string;
  readonly say: EmulatorSettings['say'];
  /** Undefined while it is not whole. */
  readonly find: () => Found | undefined;
  readonly make: () => Promise<Found>;
}

const LOCK = 'build';
const POLL_MS = 250;

/**
 * What is found, else what is made: of several processes one makes it and the others wait. `made` tells whether it was made for this call.
 * Throws `EmulatorUnavailable` when another was still making it at the deadline, and what `make` throws.
 */
export async function preparedOnce<Found>(
  preparation: Preparation<Found>,
): Promise<{ readonly found: Found; readonly made: boolean }> {
  const found = preparation.find();
  if (found !== undefined) return { found, made: false };
  await mkdir(preparation.folder, { recursive: true });
  const outcome = await lockOrFound(preparation);
  if ('found' in outcome) return { found: outcome.found, made: false };
  try {
    // Another may have finished between the look and the lock.
    const meanwhile = preparation.find();
    if (meanwhile !== undefined) return { found: meanwhile, made: false };
    return { found: await preparation.make(), made: true };
  } finally {
    outcome.lock.release();
  }
}

async function lockOrFound<Found>({
  folder,
  deadline,
  waiting,
  say,
  find,
}: Preparation<Found>): Promise<{ readonly lock: Lock } | { readonly found: Found }> {
  for (let told = false; ; told = true) {
    const lock = tryLock(folder, LOCK);
    if (lock !== undefined) return { lock };
    const found = find();
    if (found !== undefined) return { found };
    if (!told) say(waiting);
    if (performance.now() > deadline)
      throw new EmulatorUnavailable('another process was still building it when the time was up');
    await systemScheduler.sleep(POLL_MS);
  }
}
