import { liveAndJudge } from '#test/scenario/billing/billing.ts';
import { raceAndJudge } from '#test/scenario/billing/races.ts';
import { simulate } from '#test/support/simulation.ts';

/** Beyond the seeds of every ordinary test run. */
const FIRST_SEED = 101;
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 30);
const SEEDS_PER_PART = 30;
/** A race takes a tenth of the time. */
const RACES_PER_LIFE = 5;

describe('14 months of subscriptions over many seeds', () => {
  for (let from = FIRST_SEED; from < FIRST_SEED + SEEDS; from += SEEDS_PER_PART) {
    const to = Math.min(from + SEEDS_PER_PART, FIRST_SEED + SEEDS) - 1;
    it(`nothing unbilled, nothing billed twice, to the minute and to the cent (seeds ${from} to ${to})`, async () => {
      for (let seed = from; seed <= to; seed++) await liveAndJudge(seed);
    });
  }
});

describe('invoice runs that race each other over many seeds', () => {
  const to = FIRST_SEED + RACES_PER_LIFE * SEEDS - 1;
  it(`bill everything once and number without gaps (seeds ${FIRST_SEED} to ${to})`, async () => {
    for (let seed = FIRST_SEED; seed <= to; seed++) await simulate(seed, raceAndJudge);
  });
});
