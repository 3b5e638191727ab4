import { inLocalDirectory } from '#test/support/local-stores.ts';
import { changeTogether, expectExact, prepareQuota, reserveTogether, startRace } from './api-races.ts';
import { withSeed } from './seeds.ts';

const ROUNDS = 3;
const TURNS = 30;
const KEYS = 30;
const KILLS = 3;

describe('two API processes on the same stores, killed as the pipeline is', () => {
  for (let round = 1; round <= ROUNDS; round++)
    it(`never grant beyond a hard limit, lose no hold and repeat no change (round ${round})`, () =>
      inLocalDirectory((directory, cleanup) =>
        withSeed(async (draw) => {
          const race = await startRace(directory, cleanup, draw);
          await prepareQuota(race);
          const kill = async (): Promise<void> => {
            for (let kills = 0; kills < KILLS; kills++) {
              await race.killPipeline();
              await race.killApi();
            }
          };
          const racing = [reserveTogether(race, draw, TURNS), changeTogether(race, KEYS), kill()] as const;
          const [told] = await Promise.all(racing);
          await expectExact(race, told);
          await race.stop();
        }),
      ));
});
