import { EmulatorUnavailable } from './emulator.ts';

/** One way to come by something, with its name for the reason when it fails. */
export interface Source<Found> {
  readonly name: string;
  find(): Promise<Found>;
}

/** From the first source that has it. When none has, throws one `EmulatorUnavailable` that says why of each. */
export async function fromFirstSource<Found>(sources: readonly Source<Found>[]): Promise<Found> {
  const reasons: string[] = [];
  for (const { name, find } of sources) {
    try {
      return await find();
    } catch (error) {
      if (!(error instanceof EmulatorUnavailable)) throw error;
      reasons.push(`${name}: ${error.message}`);
    }
  }
  throw new EmulatorUnavailable(reasons.join('; '));
}

const ATTEMPTS_MAX = 3;

/** Again with other ports, since a free port may be taken before the program that was told to use it does. */
export async function withRetries<Found>(start: () => Promise<Found>): Promise<Found> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof EmulatorUnavailable) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
