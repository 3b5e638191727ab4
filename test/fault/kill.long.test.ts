import { inLocalDirectory } from '#test/support/local-stores.ts';
import { runKillRounds } from './kill-rounds.ts';
import { withSeed } from './seeds.ts';

describe('pipeline processes that are killed again and again', () => {
  for (const [pipelines, kills] of [
    [1, 30],
    [2, 30],
  ] as const) {
    it(`lose nothing and count nothing twice: ${kills} kills of ${pipelines} at a time`, () =>
      inLocalDirectory((directory, cleanup) =>
        withSeed((draw) =>
          runKillRounds(directory, cleanup, { draw, rounds: { kills, eventsPerKill: 200, pipelines } }),
        ),
      ));
  }
});
