import { simulate } from '#test/support/simulation.ts';
import { checkExactness } from './exactness.ts';

/** Seeds of an ordinary run; MILLRACE_SEEDS asks for more, MILLRACE_SEED repeats one alone. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 2_000);
const ONLY = process.env['MILLRACE_SEED'];
const PARTS = 4;
const MILLISECONDS_PER_SEED_MAX = 500;

describe('exactness: usage is the set of distinct accepted events, whatever goes wrong', () => {
  if (ONLY !== undefined) {
    it(`stores, warehouse and watermark agree with the model (seed ${ONLY})`, () =>
      simulate(Number(ONLY), checkExactness));
    return;
  }
  for (let part = 0; part < PARTS; part++) {
    const from = 1 + Math.floor((part * SEEDS) / PARTS);
    const to = Math.floor(((part + 1) * SEEDS) / PARTS);
    it(`stores, warehouse and watermark agree with the model after crashes, lost answers and races (seeds ${from} to ${to})`, async function () {
      this.timeout((to - from + 1) * MILLISECONDS_PER_SEED_MAX);
      for (let seed = from; seed <= to; seed++) await simulate(seed, checkExactness);
    });
  }
});
