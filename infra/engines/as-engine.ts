import { EmulatorUnavailable } from '#infra/emulators/emulator.ts';
import { EngineUnavailable } from './engine.ts';

/** What `infra/emulators` cannot find, build or start, said of an engine: the reason stays. */
export async function asEngine<Found>(open: () => Promise<Found>): Promise<Found> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof EmulatorUnavailable) throw new EngineUnavailable(error.message, { cause: error });
    throw error;
  }
}
