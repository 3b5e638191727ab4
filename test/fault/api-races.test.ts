import { expect } from 'chai';
import { inLocalDirectory } from '#test/support/local-stores.ts';
import { changeTogether, expectExact, prepareQuota, reserveTogether, startRace } from './api-races.ts';
import { withSeed } from './seeds.ts';

const TURNS = 8;
const KEYS = 10;

describe('two API processes on the same stores', () => {
  it('grant the last units of a hard limit once, and make a change under one key once, whomever is asked', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed(async (draw) => {
        const race = await startRace(directory, cleanup, draw);
        await prepareQuota(race);
        const [told] = await Promise.all([reserveTogether(race, draw, TURNS), changeTogether(race, KEYS)]);
        expect(told.granted).to.be.above(0);
        expect(told.refused).to.be.above(0);
        await expectExact(race, told);
        await race.stop();
      }),
    ));
});
