import { simulate } from '#test/support/simulation.ts';
import { checkQuotaRun } from '#test/scenario/quotas.ts';

/** Beyond the seeds of every ordinary test run. */
const FIRST_SEED = 1_001;
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 1_000);
const SEEDS_PER_PART = 1_000;

describe('quotas over many seeds', () => {
  for (let from = FIRST_SEED; from < FIRST_SEED + SEEDS; from += SEEDS_PER_PART) {
    const to = Math.min(from + SEEDS_PER_PART, FIRST_SEED + SEEDS) - 1;
    it(`nothing is granted beyond a hard limit, and no hold is lost or counted twice (seeds ${from} to ${to})`, async () => {
      for (let seed = from; seed <= to; seed++) await simulate(seed, checkQuotaRun);
    });
  }
});
