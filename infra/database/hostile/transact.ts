import type { Instant } from '#domain/instant.ts';
import type { Committed, Transaction } from '../database.ts';
import { StoreError, StoreFailure, UnknownOutcome } from '../errors.ts';
import { answer, arrive } from './engine.ts';
import type { Engine } from './engine.ts';
import { abort, commit, isAborted, startRun, transactionOf } from './run.ts';
import type { Run } from './run.ts';
import { chance } from './schedule.ts';

/** Somebody else commits whenever a run is stale, so only a starving transaction gets here. */
export const RUNS_PER_TRANSACTION_MAX = 1_000;

function commitUnheard(engine: Engine, run: Run): void {
  try {
    commit(engine, run);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

/** The caller was told long ago that nobody knows. */
async function commitLater(engine: Engine, run: Run): Promise<void> {
  await engine.schedule.point('commit that was held up');
  commitUnheard(engine, run);
}

/** Nobody hears what becomes of the commit: it may be applied, never arrive, or turn up when all have gone on. */
function loseAnswer(engine: Engine, run: Run): UnknownOutcome {
  const { schedule, counts } = engine;
  if (chance(schedule, 1 / 3)) {
    counts.lostBefore++;
  } else if (chance(schedule, 1 / 2)) {
    counts.lostAfter++;
    commitUnheard(engine, run);
  } else {
    counts.lostUntilLater++;
    void commitLater(engine, run);
  }
  return new UnknownOutcome('the answer of the commit was lost');
}

async function tryCommit(engine: Engine, run: Run): Promise<Instant | 'again'> {
  const { schedule, faults, counts } = engine;
  await arrive(engine, 'commit');
  if (chance(schedule, faults.abort)) return abort(engine, run);
  if (chance(schedule, faults.unknownOutcome)) throw loseAnswer(engine, run);
  const committedAt = commit(engine, run);
  if (committedAt !== 'stale') {
    await answer(engine, 'commit');
    return committedAt;
  }
  counts.conflicts++;
  return 'again';
}

/** An abort outranks whatever the work then returned or threw: its reads were cut short. */
async function runWork<Result>(run: Run, work: () => Promise<Result>): Promise<{ result: Result } | 'again'> {
  try {
    const result = await work();
    return isAborted(run) ? 'again' : { result };
  } catch (error) {
    if (isAborted(run)) return 'again';
    throw error;
  } finally {
    run.state = 'over';
  }
}

export async function transact<Result>(
  engine: Engine,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Committed<Result>> {
  for (let runs = 0; runs < RUNS_PER_TRANSACTION_MAX; runs++) {
    await arrive(engine, 'begin');
    const run = startRun(engine);
    const done = await runWork(run, () => work(transactionOf(engine, run)));
    if (done === 'again') continue;
    const committedAt = await tryCommit(engine, run);
    if (committedAt !== 'again') return { result: done.result, committedAt };
  }
  throw new StoreFailure(`a transaction was aborted ${RUNS_PER_TRANSACTION_MAX} times`);
}
