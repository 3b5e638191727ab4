import { inLocalDirectory } from '#test/support/local-stores.ts';
import { withSeed } from './seeds.ts';
import { BLOWS, runServerRounds } from './server-rounds.ts';

const ROUNDS = 20;

describe('a server that is stopped and killed again and again', () => {
  it('loses nothing that it answered, and counts nothing twice', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed((draw) =>
        runServerRounds(
          directory,
          cleanup,
          Array.from({ length: ROUNDS }, () => draw.pick(BLOWS)),
        ),
      ),
    ));
});
