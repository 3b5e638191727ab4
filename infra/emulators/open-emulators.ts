import {
  EmulatorUnavailable,
  isRunning,
  projectOf,
  type Emulator,
  type EmulatorName,
  type EmulatorSettings,
  type RunningEmulator,
} from './emulator.ts';
import { openBigqueryEmulator } from './open-bigquery-emulator.ts';
import { openPubsubEmulator } from './open-pubsub-emulator.ts';
import { openSpannerEmulator } from './open-spanner-emulator.ts';

const OPEN: Readonly<Record<EmulatorName, (settings: EmulatorSettings) => Promise<RunningEmulator>>> = {
  spanner: openSpannerEmulator,
  pubsub: openPubsubEmulator,
  bigquery: openBigqueryEmulator,
};

/** Finds an emulator or starts it. One that cannot be had is an answer with its reason, not an error. */
export async function openEmulator(name: EmulatorName, settings: EmulatorSettings): Promise<Emulator> {
  try {
    return await OPEN[name](settings);
  } catch (error) {
    if (error instanceof EmulatorUnavailable) return { name, origin: 'not available', reason: error.message };
    throw error;
  }
}

/** Several at once, in the order of their names. */
export const openEmulators = (
  names: readonly EmulatorName[],
  settings: EmulatorSettings,
): Promise<Emulator[]> => Promise.all(names.map((name) => openEmulator(name, settings)));

/** What the environment of a client of these needs. */
export const variablesOf = (
  emulators: readonly Emulator[],
  environment: NodeJS.ProcessEnv,
): Record<string, string> =>
  Object.fromEntries([
    ...emulators.filter(isRunning).flatMap(({ variables }) => Object.entries(variables)),
    ['MILLRACE_PROJECT', projectOf(environment)],
    // No emulator wants credentials: without this the clients look for a machine's own, and warn that there are none.
    ['METADATA_SERVER_DETECTION', 'none'],
  ]);
