import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { hash } from 'node:crypto';
import { expect } from 'chai';
import { collect } from '#test/contract/database/support.ts';
import { withDirectory } from './temporary.ts';
import { allTables, happening } from './tables.ts';

const WRITER = new URL('./writer-process.ts', import.meta.url).pathname;

interface Committed {
  readonly added: readonly number[];
  readonly committedAt: number;
}

const identity = (of: number): string => hash('sha256', String(of), 'binary').slice(0, 16);

/** Starts a writer; `onCommit` hears of each commit once the process knows that it is durable. */
function startWriter(
  path: string,
  seed: string,
  count: number,
  onCommit: (commit: Committed, kill: () => void) => void,
) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', WRITER, path, seed, String(count)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => onCommit(JSON.parse(line) as Committed, () => child.kill('SIGKILL')));
  return Promise.all([once(child, 'exit'), once(lines, 'close')]).then(([[code]]) => code as number | null);
}

describe('processes that share a SQLite database', () => {
  it(
    'see each other’s identities exactly: each is added once, and commit times rise over all of them',
    withDirectory(async (open, path) => {
      const count = 3_000;
      const database = open({ tables: allTables });
      const commits: Committed[] = [];
      const exits = await Promise.all(
        ['a', 'b', 'c'].map((seed) => startWriter(path, seed, count, (commit) => commits.push(commit))),
      );
      expect(exits).to.deep.equal([0, 0, 0]);
      const added = commits.flatMap((commit) => commit.added);
      expect(added.toSorted((x, y) => x - y)).to.deep.equal(Array.from({ length: count }, (_, i) => i));
      const times = commits.filter((commit) => commit.added.length > 0).map(({ committedAt }) => committedAt);
      expect(new Set(times).size).to.equal(times.length);

      const timeOf = new Map(commits.flatMap((commit) => commit.added.map((of) => [of, commit.committedAt])));
      const rows = await database.read(
        happening,
        Array.from({ length: count }, (_, i) => [identity(i)]),
      );
      expect(rows.map((row) => row?.committedAt)).to.deep.equal(
        Array.from({ length: count }, (_, i) => timeOf.get(i)),
      );
    }),
  );

  it(
    'keep what was committed, and nothing by halves, when one is killed at any time',
    withDirectory(async (open, path) => {
      const count = 2_000;
      const acknowledged = new Set<number>();
      for (const [round, lines] of [1, 10, 25].entries()) {
        let seen = 0;
        const code = await startWriter(path, `round ${round}`, count, (commit, kill) => {
          for (const of of commit.added) acknowledged.add(of);
          if (++seen === lines) kill();
        });
        expect(code).to.equal(null);
        const database = open({ tables: allTables });
        const rows = await collect(database.scan(happening, { prefix: [] }));
        const there = new Set(rows.map((row) => Number(row.subject.split(' ').at(-1))));
        expect(there.size).to.equal(rows.length);
        for (const of of acknowledged) expect(there.has(of)).to.equal(true);
        const found = await database.read(
          happening,
          Array.from({ length: count }, (_, i) => [identity(i)]),
        );
        expect(found.flatMap((row, i) => (row === undefined ? [] : [i]))).to.deep.equal(
          [...there].sort((a, b) => a - b),
        );
        await database.close();
      }
    }),
  );
});
