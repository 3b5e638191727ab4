import { inLocalDirectory } from '#test/support/local-stores.ts';
import { runServerRounds } from './server-rounds.ts';

describe('a server that is told to stop in the middle of requests', () => {
  it('cuts no answer, and everything it answered is counted', () =>
    inLocalDirectory((directory, cleanup) => runServerRounds(directory, cleanup, ['stop'])));
});

describe('a server whose processes are killed', () => {
  it('starts them again, and everything it answered is counted once', () =>
    inLocalDirectory((directory, cleanup) => runServerRounds(directory, cleanup, ['kill-api', 'kill'])));
});
