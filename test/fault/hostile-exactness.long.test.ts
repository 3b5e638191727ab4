import { checkExactness } from '#test/scenario/exactness.ts';
import { simulate } from '#test/support/simulation.ts';

/** Beyond the seeds of every ordinary test run. */
const FIRST_SEED = 2_001;
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 2_000);
const SEEDS_PER_PART = 2_000;

describe('exactness over many seeds', () => {
  for (let from = FIRST_SEED; from < FIRST_SEED + SEEDS; from += SEEDS_PER_PART) {
    const to = Math.min(from + SEEDS_PER_PART, FIRST_SEED + SEEDS) - 1;
    it(`stores, warehouse and watermark agree with the model after crashes, lost answers and races (seeds ${from} to ${to})`, async () => {
      for (let seed = from; seed <= to; seed++) await simulate(seed, checkExactness);
    });
  }
});
