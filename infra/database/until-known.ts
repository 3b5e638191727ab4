import { UnknownOutcome } from './errors.ts';

/** So often a commit whose answer was lost is tried again at once. */
const UNKNOWN_OUTCOMES_MAX = 5;

/** Runs work again whose outcome is unknown. It has to be harmless to repeat: it finds what it wrote. */
export async function untilKnown<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let unknown = 1; ; unknown++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnknownOutcome) || unknown >= UNKNOWN_OUTCOMES_MAX) throw error;
    }
  }
}
