import { expect } from 'chai';
import { simulate } from '#test/support/simulation.ts';
import { checkQuotaRun } from './quotas.ts';

/** Seeds of an ordinary run; MILLRACE_SEEDS asks for more, MILLRACE_SEED repeats one alone. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 200);
const ONLY = process.env['MILLRACE_SEED'];
const PARTS = 3;
const MILLISECONDS_PER_SEED_MAX = 1_000;

describe('quotas: nothing is granted beyond a hard limit, and no hold is lost or counted twice', () => {
  if (ONLY !== undefined) {
    it(`used equals the cells and held the holds (seed ${ONLY})`, () =>
      simulate(Number(ONLY), checkQuotaRun));
    return;
  }
  let [granted, refused] = [0, 0];
  for (let part = 0; part < PARTS; part++) {
    const from = 1 + Math.floor((part * SEEDS) / PARTS);
    const to = Math.floor(((part + 1) * SEEDS) / PARTS);
    it(`used equals the cells and held the holds while callers race, workers die and answers are lost (seeds ${from} to ${to})`, async function () {
      this.timeout((to - from + 1) * MILLISECONDS_PER_SEED_MAX);
      for (let seed = from; seed <= to; seed++) {
        const told = await simulate(seed, checkQuotaRun);
        granted += told.granted.length;
        refused += told.refused.count;
      }
    });
  }

  it('these runs met both: reservations that were granted and some that were not', () => {
    expect(granted).to.be.greaterThan(0);
    expect(refused).to.be.greaterThan(0);
  });
});
