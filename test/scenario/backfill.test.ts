import { simulate } from '#test/support/simulation.ts';
import { checkBackfill } from './backfill.ts';

/** Seeds of an ordinary run; MILLRACE_SEEDS asks for more, MILLRACE_SEED repeats one alone. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 50);
const ONLY = process.env['MILLRACE_SEED'];
const MILLISECONDS_PER_SEED_MAX = 3_000;

describe('backfill: a generation that was told the past counts as if it had always been there', () => {
  const from = ONLY === undefined ? 1 : Number(ONLY);
  const to = ONLY === undefined ? SEEDS : from;
  it(`every cell agrees with the model after crashes, corrections, late events and races (seeds ${from} to ${to})`, async function () {
    this.timeout((to - from + 1) * MILLISECONDS_PER_SEED_MAX);
    for (let seed = from; seed <= to; seed++) await simulate(seed, checkBackfill);
  });
});
