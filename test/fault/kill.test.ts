import { inLocalDirectory } from '#test/support/local-stores.ts';
import { runKillRounds } from './kill-rounds.ts';
import { withSeed } from './seeds.ts';

describe('a pipeline process that is killed', () => {
  it('loses nothing and counts nothing twice, with another process beside it', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed((draw) =>
        runKillRounds(directory, cleanup, { draw, rounds: { kills: 4, eventsPerKill: 250, pipelines: 2 } }),
      ),
    ));
});
