import { expect } from 'chai';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { supervise, type SupervisedProcess, type UnexpectedEnd } from '#infra/local/start/supervisor.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { eventually } from '#test/support/eventually.ts';

const PROGRAM = join(import.meta.dirname, 'supervised-program.ts');
const LONG_MS = 60_000;

interface Watched {
  readonly supervised: SupervisedProcess;
  readonly ends: UnexpectedEnd[];
  /** How often it was ready. */
  readonly readyPids: number[];
  readonly messages: object[];
  starts(): Promise<number>;
}

describe('a supervised process', () => {
  let directory = '';
  let running: SupervisedProcess[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-supervisor-'));
  });
  afterEach(async () => {
    for (const each of running) each.kill();
    running = [];
    await rm(directory, { recursive: true, force: true });
  });

  /** Pauses pass at once, so that only conditions decide when things happen. */
  const hurried: Scheduler = {
    now: systemScheduler.now,
    sleep: (milliseconds, signal) =>
      systemScheduler.sleep(milliseconds >= LONG_MS ? milliseconds : 0, signal),
  };

  function start(behaviour: string, scheduler = hurried): Watched {
    const count = join(directory, 'starts');
    const ends: UnexpectedEnd[] = [];
    const [messages, readyPids] = [[] as object[], [] as number[]];
    const supervised = supervise(
      {
        name: 'the program',
        modulePath: PROGRAM,
        arguments: () => [behaviour, count],
        onEnd: (end) => ends.push(end),
        onMessage: (message) => messages.push(message),
        onReady: (_, pid) => readyPids.push(pid),
      },
      scheduler,
    );
    running.push(supervised);
    return {
      supervised,
      ends,
      readyPids,
      messages,
      starts: async () => Number(await readFile(count, 'utf8')),
    };
  }

  it('is started again when it ends by itself, and how it ended is told', async () => {
    const { supervised, ends, readyPids } = start('once');
    await supervised.ready;
    await eventually('it runs again', () => readyPids.length === 2);
    expect(ends).to.deep.equal([{ how: 'exit code 3', startsAgainInMs: 500 }]);
    await supervised.stop(LONG_MS);
  });

  it('is started again after each kill, at growing intervals', async () => {
    const { supervised, ends, readyPids } = start('ready');
    for (let kills = 0; kills < 3; kills++) {
      await eventually('it runs', () => readyPids.length === kills + 1);
      process.kill(readyPids[kills] ?? -1, 'SIGKILL');
    }
    await eventually('it runs again', () => readyPids.length === 4);
    expect(ends.map(({ startsAgainInMs }) => startsAgainInMs)).to.deep.equal([500, 1_000, 2_000]);
    expect(new Set(ends.map(({ how }) => how))).to.deep.equal(new Set(['SIGKILL']));
    await supervised.stop(LONG_MS);
  });

  it('that cannot start is not started again, and says why', async () => {
    const { supervised, starts, ends } = start('fails');
    const failed = await supervised.ready.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).to.be.an('error').with.property('message', 'the program could not start: it has no luck');
    expect(await starts()).to.equal(1);
    expect(ends).to.deep.equal([]);
    await supervised.stop(LONG_MS);
  });

  it('hears what it is sent, and what it is sent while it does not run harms nobody', async () => {
    const { supervised, messages } = start('ready');
    await supervised.ready;
    supervised.send({ question: 1 });
    await eventually('it answered', () => messages.length > 0);
    expect(messages).to.deep.equal([{ echo: { question: 1 }, starts: 1 }]);
    await supervised.stop(LONG_MS);
    supervised.send({ question: 2 });
    expect(supervised.pid).to.equal(undefined);
  });

  it('stops when it is told to, without being started again', async () => {
    const { supervised, ends, starts } = start('ready');
    await supervised.ready;
    await supervised.stop(LONG_MS);
    expect(await starts()).to.equal(1);
    expect(ends).to.deep.equal([]);
  });

  it('that does not stop in its grace is killed', async () => {
    const { supervised, readyPids } = start('deaf');
    await supervised.ready;
    await supervised.stop(100);
    expect(() => process.kill(readyPids[0] ?? -1, 0)).to.throw('ESRCH');
  });

  it('is stopped while its restart is awaited', async () => {
    const paused: Scheduler = {
      now: systemScheduler.now,
      sleep: (_, signal) => systemScheduler.sleep(LONG_MS, signal),
    };
    const { supervised, ends, starts } = start('once', paused);
    await eventually('it has ended', () => ends.length === 1);
    await supervised.stop(LONG_MS);
    expect(await starts()).to.equal(1);
  });
});
