import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import type { WorkerEnvironment } from '#pipelines/beam/environments.ts';
import { fanOut, impulse } from '#pipelines/beam/fan-out.ts';
import { apply, buildPipeline } from '#pipelines/beam/graph.ts';
import { groupPerKey } from '#pipelines/beam/grouping.ts';
import { splittableParDo } from '#pipelines/beam/splittable-do-fn.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { Endless, lastDigit, Numbers, WriteGroups } from './stages.ts';

/** What a worker is, where the engine starts the command itself. */
export const processWorkers = (environment: Readonly<Record<string, string>> = {}): WorkerEnvironment => ({
  kind: 'process',
  command: resolve(import.meta.dirname, '../../../pipelines/beam/worker.sh'),
  environment,
});

export const NUMBERS = 4_000;
const PARTS = 4;

/** The numbers from 0 to NUMBERS, by their last digit, as lines of the file. */
export const boundedJob = (path: string) =>
  buildPipeline((root) => {
    const firsts = Array.from({ length: PARTS }, (_, part) => (part * NUMBERS) / PARTS);
    const numbers = apply(
      'numbers',
      apply('parts', impulse(root), fanOut(firsts)),
      syncParDo(new Numbers(NUMBERS / PARTS)),
    );
    apply('write', apply('group', numbers, groupPerKey(lastDigit)), asyncParDo(new WriteGroups(path)));
  });

/** What a bounded job has to write, whatever bundles it was cut into. */
export const EXPECTED_GROUPS = Array.from({ length: 10 }, (_, digit) => ({
  key: String(digit),
  count: NUMBERS / 10,
  sum: Array.from({ length: NUMBERS / 10 }, (_, i) => i * 10 + digit).reduce(
    (total, each) => total + each,
    0,
  ),
}));

/** A job that goes on until it is ended; each round is a line of the file. */
export const endlessJob = (path: string) =>
  buildPipeline(
    (root) =>
      void apply(
        'endless',
        apply('readers', impulse(root), fanOut(['only'])),
        splittableParDo(new Endless(path)),
      ),
  );

export interface Line {
  readonly pid: number;
  readonly key?: string;
  readonly round?: number;
}

export const linesOf = (path: string): Line[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line)
    : [];
