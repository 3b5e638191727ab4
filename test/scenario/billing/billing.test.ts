import { liveAndJudge } from './billing.ts';

/** Seeds of an ordinary run; MILLRACE_SEEDS asks for more, MILLRACE_SEED repeats one alone. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 10);
const ONLY = process.env['MILLRACE_SEED'];

describe('14 months of subscriptions: nothing unbilled, nothing billed twice, to the minute and to the cent', () => {
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [Number(ONLY)];
  for (const seed of seeds)
    it(`in zones from UTC-11 to UTC+14, with changes, downtime and voids (seed ${seed})`, () =>
      liveAndJudge(seed));
});
