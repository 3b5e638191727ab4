import { expect } from 'chai';
import { simulateSeeds } from '#test/support/simulation.ts';
import { checkPortable } from './portable.ts';

/** Seeds of an ordinary run; MILLRACE_SEED repeats one alone. */
const SEEDS = 60;
const MILLISECONDS_PER_SEED_MAX = 4_000;

describe('portable workers, of which one reads and another commits', () => {
  it('count each event once and never say too much of it, whatever dies, begins anew, is repeated or is lost', async function () {
    this.timeout(SEEDS * MILLISECONDS_PER_SEED_MAX);
    let moved = 0;
    await simulateSeeds(SEEDS, async (sim) => {
      if (await checkPortable(sim)) moved++;
    });
    if (process.env['MILLRACE_SEED'] === undefined)
      expect(moved, 'runs in which the watermark moved while there was trouble').to.be.above(SEEDS / 4);
  });
});
