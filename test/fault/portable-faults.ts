import { setTimeout as sleep } from 'node:timers/promises';
import { workersBelow } from '#infra/engines/worker-processes.ts';
import { expect } from 'chai';
import { openRefusingGrpc } from '#test/support/refusing-grpc.ts';
import { isRunning, type PortableRun } from './portable-run.ts';

/** Runs again after one restart more than there had been. */
async function untilRestarted({ pipeline }: PortableRun, before: number): Promise<void> {
  await pipeline().until('the job runs again', (status) => status.restarts > before && isRunning(status));
}

const restartsOf = ({ pipeline }: PortableRun): number => pipeline().status()?.restarts ?? 0;

function killed(pids: readonly number[], what: string): void {
  const [pid] = pids;
  if (pid === undefined) throw new Error(`there is no ${what} to kill`);
  process.kill(pid, 'SIGKILL');
}

/** SIGKILL of a Node process: what it had pulled, parsed and not committed is with nobody. */
export async function killWorker(run: PortableRun): Promise<void> {
  const before = restartsOf(run);
  killed(await run.pipeline().workers(), 'worker');
  await untilRestarted(run, before);
}

/** SIGKILL of a process of the engine, known by a part of its command line; the supervisor starts another engine. */
export const killEngine =
  (commandPart: string) =>
  async (run: PortableRun): Promise<void> => {
    const before = restartsOf(run);
    killed(await run.pipeline().below(commandPart), 'engine');
    await untilRestarted(run, before);
  };

/** SIGKILL of the TaskManager that has the job, its workers with it; another has room. */
export async function killTaskManager(run: PortableRun): Promise<void> {
  const before = restartsOf(run);
  for (const pid of await run.pipeline().below('TaskManagerRunner'))
    if (((await workersBelow([pid])) ?? []).length > 0) {
      killed([pid], 'TaskManager');
      return untilRestarted(run, before);
    }
  throw new Error('no TaskManager has a worker');
}

const OUTAGES = 3;
const OUTAGE_MS = 2_500;

/** Spanner cannot be reached, again and again, for a moment each. */
export async function breakSpanner({ spanner }: PortableRun): Promise<void> {
  for (let outage = 0; outage < OUTAGES; outage++) {
    spanner.shut();
    spanner.breakConnections();
    await sleep(OUTAGE_MS);
    spanner.open();
    await sleep(OUTAGE_MS);
  }
}

const PERMISSION_DENIED = 7;

/** Spanner answers and refuses everything until bundles have failed, and the engine or the supervisor has started the job again. */
export async function refuseAtSpanner(run: PortableRun): Promise<void> {
  const { spanner, pipeline } = run;
  const before = restartsOf(run);
  const refusing = await openRefusingGrpc(PERMISSION_DENIED, 'a test refuses it');
  spanner.leadTo(refusing.address);
  spanner.breakConnections();
  try {
    await pipeline().until('bundles fail and the job starts again', ({ restarts }) => restarts > before);
  } finally {
    spanner.leadTo();
    spanner.breakConnections();
    await refusing.close();
  }
  await pipeline().until('the job runs again', isRunning);
}

/** The job is ended at its engine, by somebody else than its supervisor. */
export const cancelJob =
  (cancel: (run: PortableRun) => Promise<void>) =>
  async (run: PortableRun): Promise<void> => {
    const before = restartsOf(run);
    await cancel(run);
    await untilRestarted(run, before);
  };

/** An upgrade: a second job starts on the same subscriptions, and beside it the first is drained. */
export async function drainForNext(run: PortableRun): Promise<void> {
  const old = run.pipeline();
  await run
    .startNext()
    .until('the next job runs', (status) => isRunning(status) && (status.workers ?? 0) > 0);
  expect(await old.stop(), old.explain()).to.deep.equal({ code: 0, signal: null });
}
