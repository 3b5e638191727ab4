import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createManifest } from '#infra/warehouse/embedded/manifest.ts';
import { SWEEP_GRACE_MICROS } from '#infra/warehouse/embedded/sweep.ts';
import { ask } from '#test/contract/warehouse/rows.ts';
import {
  openTemporaryWarehouse,
  openWarehouseIn,
  systemClock,
  type TemporaryWarehouse,
} from './temporary.ts';
import { BATCH_ROWS, type Progress } from './worker.ts';

const WORKER = join(import.meta.dirname, 'worker.ts');

interface Worker {
  readonly process: ChildProcess;
  /** Steps that began, and steps that are done, as far as the worker could tell. */
  begun: number;
  done: number;
  /** Resolves once so many steps are done, or have begun. */
  reaches(step: keyof Pick<Worker, 'begun' | 'done'>, count: number): Promise<void>;
  kill(): Promise<void>;
  /** Lets it end after the step it is in. */
  finish(): Promise<void>;
}

const running = new Set<ChildProcess>();

function start(...args: readonly string[]): Worker {
  const child = fork(WORKER, args, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  running.add(child);
  const exited = once(child, 'exit').then(() => running.delete(child));
  const worker: Worker = {
    process: child,
    begun: 0,
    done: 0,
    reaches: async (step, count) => {
      while (worker[step] < count)
        await Promise.race([
          once(child, 'message'),
          exited.then(() => Promise.reject(new Error('the worker ended'))),
        ]);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    finish: async () => {
      child.send('stop');
      await exited;
      expect(child.exitCode).to.equal(0);
    },
  };
  child.on('message', ({ step, number }: Progress) => {
    if (step === 'begins') worker.begun = number + 1;
    else worker.done = number + 1;
  });
  return worker;
}

describe('processes that share an embedded warehouse', function () {
  this.timeout(120_000);
  let opened: TemporaryWarehouse;
  beforeEach(async () => (opened = await openTemporaryWarehouse()));
  afterEach(async () => {
    for (const child of running) child.kill('SIGKILL');
    await opened.dispose();
  });

  const rowsOf = async (subject: string): Promise<number> => {
    const [row] = await ask(opened.warehouse, 'usage_by_window', {
      aggregation: 'count',
      subjects: [subject],
    });
    return Number(row?.['events'] ?? 0);
  };

  /** Rows as they lie there, copies and all. */
  const rawRows = async (): Promise<number> => {
    const [row] = await ask(opened.warehouse, 'outcomes');
    return Number(row?.['rows'] ?? 0);
  };

  it('see whole appends, each once, at every moment, while others append and compact', async () => {
    const appender = start('append', opened.directory, 'a');
    const other = start('append', opened.directory, 'b');
    const compactor = start('compact', opened.directory);
    await compactor.reaches('done', 1);
    let seen = 0;
    while (appender.done < 60 || compactor.done < 10) {
      const done = appender.done;
      const rows = await rowsOf('a');
      expect(rows % BATCH_ROWS, 'half an append').to.equal(0);
      expect(rows, 'an acknowledged append is missing').to.be.at.least(done * BATCH_ROWS);
      expect(rows, 'the total went back').to.be.at.least(seen);
      seen = rows;
    }
    await Promise.all([appender.finish(), other.finish(), compactor.finish()]);
    expect(await rowsOf('a')).to.equal(appender.begun * BATCH_ROWS);
    expect(await rowsOf('b')).to.equal(other.begun * BATCH_ROWS);
    expect(await rawRows()).to.equal((appender.begun + other.begun) * BATCH_ROWS);
  });

  it('that are killed at any point leave a correct store, and what they left behind is swept', async () => {
    const appenders: Worker[] = [];
    const steady = start('append', opened.directory, 'steady');
    for (let round = 0; round < 6; round++) {
      const appender = start('append', opened.directory, `victim-${round}`);
      const compactor = start('compact', opened.directory);
      appenders.push(appender);
      await Promise.all([appender.reaches('begun', round + 1), compactor.reaches('begun', 1 + (round % 3))]);
      await Promise.all([appender.kill(), compactor.kill()]);
    }
    await steady.finish();

    let total = steady.begun;
    for (const [round, appender] of appenders.entries()) {
      const rows = await rowsOf(`victim-${round}`);
      expect(rows % BATCH_ROWS, 'half an append').to.equal(0);
      expect(rows / BATCH_ROWS).to.be.within(appender.done, appender.begun + 1);
      total += rows / BATCH_ROWS;
    }
    expect(await rowsOf('steady')).to.equal(steady.begun * BATCH_ROWS);
    expect(await rawRows()).to.equal(total * BATCH_ROWS);

    const later = await openWarehouseIn(opened.directory, () => systemClock() + 2 * SWEEP_GRACE_MICROS);
    while ((await later.warehouse.compact()).length > 0) continue;
    await later.warehouse.sweep();
    const live = (await createManifest(later.database).live('events')).map(({ file }) => file);
    expect((await readdir(join(opened.directory, 'segments'))).toSorted()).to.deep.equal(live.toSorted());
    expect(await rawRows()).to.equal(total * BATCH_ROWS);
    await later.close();
  });
});
