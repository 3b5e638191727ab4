import { seededRandom, type SeededRandom } from '#test/support/seeded-random.ts';

/** Runs a test from a new seed, or from MILLRACE_SEED; a failure names the seed to run it again with. */
export async function withSeed(test: (draw: SeededRandom) => Promise<void>): Promise<void> {
  const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  try {
    await test(seededRandom(seed));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`with MILLRACE_SEED=${seed}: ${message}`, { cause: error });
  }
}
