import { simulate } from '#test/support/simulation.ts';
import { checkCorrections } from './corrections.ts';

/** Seeds of an ordinary run; MILLRACE_SEEDS asks for more, MILLRACE_SEED repeats one alone. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 100);
const ONLY = process.env['MILLRACE_SEED'];
const MILLISECONDS_PER_SEED_MAX = 1_000;

describe('corrections by filter: each event is changed once, and undone as it was, whatever goes wrong', () => {
  const from = ONLY === undefined ? 1 : Number(ONLY);
  const to = ONLY === undefined ? SEEDS : Number(ONLY);
  it(`cells and exact view agree with the live events after crashes, lost answers and races (seeds ${from} to ${to})`, async function () {
    this.timeout((to - from + 1) * MILLISECONDS_PER_SEED_MAX + 10_000);
    for (let seed = from; seed <= to; seed++) await simulate(seed, checkCorrections);
  });
});
