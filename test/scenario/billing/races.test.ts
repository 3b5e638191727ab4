import { simulate } from '#test/support/simulation.ts';
import { raceAndJudge } from './races.ts';

/** Seeds of an ordinary run; MILLRACE_SEEDS asks for more, MILLRACE_SEED repeats one alone. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 40);
const ONLY = process.env['MILLRACE_SEED'];

describe('invoice runs that race each other, changes, voids and late events', () => {
  if (ONLY !== undefined) {
    it(`bill everything once and number without gaps (seed ${ONLY})`, () =>
      simulate(Number(ONLY), raceAndJudge));
    return;
  }
  it(`bill everything once and number without gaps, whatever is killed and whatever answer is lost (seeds 1 to ${SEEDS})`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await simulate(seed, raceAndJudge);
  });
});
