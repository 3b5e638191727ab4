import { expect } from 'chai';
import type { FeedWatermark } from '#infra/usage/watermark.ts';
import type { Job, JobEnd, JobState } from '#pipelines/beam/job-client.ts';
import type { PipelineStatus } from '#pipelines/portable/pipeline-status.ts';
import { DEFAULT_POLICY } from '#pipelines/portable/supervision.ts';
import { supervise, type Supervised, type SupervisionEnd } from '#pipelines/portable/supervisor.ts';
import { createVirtualTime } from '#test/pipelines/runner/virtual-time.ts';

/** A job that does what the test says, in virtual time. */
function createJob(id: number) {
  const ended = Promise.withResolvers<JobEnd>();
  let isReleased = false;
  const job: Job = {
    id: `job-${id}`,
    name: 'usage',
    state: async (): Promise<JobState> => 'RUNNING',
    cancel: async () => undefined,
    messages: () => [],
    ended: ended.promise,
    release: () => {
      isReleased = true;
    },
  };
  return { job, end: ended.resolve, isReleased: () => isReleased };
}

function createWorld() {
  const time = createVirtualTime();
  const jobs: ReturnType<typeof createJob>[] = [];
  const told: PipelineStatus[] = [];
  const lines: string[] = [];
  const calls: string[] = [];
  const world = {
    refuses: false,
    clearFails: false,
    engineEnd: undefined as string | undefined,
    workers: 1 as number | undefined,
    isStalled: false,
    hangs: false,
    alarms: 0,
  };
  let committedThrough = time.scheduler.now();
  const pipeline: Supervised = {
    name: 'usage',
    runner: 'prism',
    submit: async () => {
      calls.push('submit');
      if (world.refuses) throw new Error('connection refused');
      world.engineEnd = undefined;
      world.workers = 1;
      const created = createJob(jobs.length + 1);
      jobs.push(created);
      return created.job;
    },
    clear: async () => {
      calls.push('clear');
      if (world.clearFails) throw new Error('it goes on');
    },
    engineEnd: () => world.engineEnd,
    workers: async () => world.workers,
    engineRestarts: async () => undefined,
    readFeeds: async () => {
      if (world.hangs) return new Promise<never>(() => undefined);
      const heartbeatAt = time.scheduler.now();
      if (!world.isStalled) committedThrough = heartbeatAt;
      return [{ heartbeatAt, committedThrough } as FeedWatermark];
    },
  };
  const stop = new AbortController();
  const log = {
    info: (_: object, line: string) => void lines.push(line),
    warn: (_: object, line: string) => void lines.push(line),
    error: (_: object, line: string) => void lines.push(line),
  };
  const options = {
    policy: DEFAULT_POLICY,
    scheduler: time.scheduler,
    log,
    tell: (status: PipelineStatus) => void told.push(status),
    alarmed: () => void world.alarms++,
  };
  const running: { end: SupervisionEnd | undefined; error: unknown } = { end: undefined, error: undefined };
  const start = (): void => {
    supervise(pipeline, options, stop.signal).then(
      (end) => (running.end = end),
      (error: unknown) => (running.error = error),
    );
  };
  return { time, jobs, told, lines, calls, world, stop, running, start };
}

describe('a supervisor', () => {
  it('submits the job, tells how it stands, and leaves it as it is when it is told to stop', async () => {
    const { time, jobs, told, stop, running, start } = createWorld();
    start();
    await time.pass(5_000);
    expect(told.length).to.be.at.least(5);
    expect(told.at(-1)).to.include({ state: 'RUNNING', restarts: 0, workers: 1, alarm: undefined });
    stop.abort();
    await time.pass(0);
    expect(running.end).to.equal('stopped');
    expect(jobs).to.have.length(1);
    expect(jobs[0]?.isReleased()).to.equal(true);
  });

  it('throws what the first submission throws: then there is nothing to supervise', async () => {
    const { time, world, running, start } = createWorld();
    world.refuses = true;
    start();
    await time.pass(0);
    expect(running.error).to.be.instanceOf(Error).with.property('message', 'connection refused');
  });

  it('ends what is left of a failed job and submits it again, after a pause', async () => {
    const { time, jobs, calls, told, start } = createWorld();
    start();
    await time.pass(2_000);
    jobs[0]?.end({ state: 'FAILED', reason: 'a bundle failed' });
    await time.pass(1_500);
    expect(calls).to.deep.equal(['submit']);
    await time.pass(1_000);
    expect(calls).to.deep.equal(['submit', 'clear', 'submit']);
    expect(jobs[0]?.isReleased()).to.equal(true);
    await time.pass(1_000);
    expect(told.at(-1)).to.include({ state: 'RUNNING', restarts: 1 });
  });

  it('submits again though the job before could not be ended: two are exact too', async () => {
    const { time, jobs, world, lines, start } = createWorld();
    world.clearFails = true;
    start();
    await time.pass(1_000);
    jobs[0]?.end({ state: 'FAILED' });
    await time.pass(4_000);
    expect(jobs).to.have.length(2);
    expect(lines.join()).to.include('could not be ended');
  });

  it('notices that the engine has gone, and that workers have', async () => {
    const { time, jobs, world, start } = createWorld();
    start();
    await time.pass(1_000);
    world.engineEnd = 'Prism ended';
    await time.pass(4_000);
    expect(jobs).to.have.length(2);
    world.workers = 0;
    await time.pass(20_000);
    expect(jobs).to.have.length(3);
  });

  it('gives up after ten failures in a row, raising one alarm', async () => {
    const { time, jobs, world, running, lines, start } = createWorld();
    start();
    await time.pass(1_000);
    world.refuses = true;
    jobs[0]?.end({ state: 'FAILED', reason: 'no' });
    await time.pass(600_000);
    expect(running.end).to.equal('gave up');
    expect(world.alarms).to.equal(1);
    expect(lines.at(-1)).to.equal('the supervisor gives up');
  });

  it('stops while it waits to submit again', async () => {
    const { time, jobs, stop, running, world, start } = createWorld();
    start();
    await time.pass(1_000);
    world.refuses = true;
    jobs[0]?.end({ state: 'FAILED' });
    await time.pass(20_000);
    stop.abort();
    await time.pass(0);
    expect(running.end).to.equal('stopped');
  });

  it('raises an alarm when messages wait and nothing is committed, and takes it back', async () => {
    const { time, told, world, lines, start } = createWorld();
    start();
    await time.pass(3_000);
    world.isStalled = true;
    await time.pass(100_000);
    expect(world.alarms).to.equal(1);
    expect(told.at(-1)?.alarm).to.match(/^messages wait, and nothing was committed for \d+ s$/);
    world.isStalled = false;
    await time.pass(2_000);
    expect(told.at(-1)?.alarm).to.equal(undefined);
    expect(lines.at(-1)).to.equal('the pipeline is well again');
  });

  it('takes an alarm for repeated failures back once a job is well', async () => {
    const { time, jobs, world, told, start } = createWorld();
    start();
    for (let failure = 1; failure <= 3; failure++) {
      await time.pass(2_000);
      jobs.at(-1)?.end({ state: 'FAILED', reason: 'no' });
      await time.pass(8_000);
    }
    expect(world.alarms).to.equal(1);
    expect(told.at(-1)?.alarm).to.include('the job is FAILED');
    await time.pass(70_000);
    expect(told.at(-1)?.alarm).to.equal(undefined);
  });

  it('goes on telling when a store does not answer', async () => {
    const { time, told, world, start } = createWorld();
    start();
    await time.pass(2_000);
    world.hangs = true;
    await time.pass(30_000);
    expect(told.at(-1)).to.include({ state: 'RUNNING', lagMs: undefined });
    const count = told.length;
    await time.pass(30_000);
    expect(told.length).to.be.above(count);
  });
});
