import { expect } from 'chai';
import { SILENT_MICROS } from '#infra/fleet/job-holders.ts';
import { errandLease, fleetWorker, jobHolder, workerClaim } from '#infra/fleet/tables.ts';
import { event } from '#infra/usage/tables.ts';
import { drainJob, DRAIN_MS_MAX } from '#pipelines/portable/drain-job.ts';
import {
  commit,
  JOB,
  MINUTE_MS,
  openRead,
  openWorld,
  readOnce,
  SECOND_MS,
  SUBSCRIPTION,
} from './worker-world.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A drain of the job; `isOver` once the job was told to stop, with the rows that its workers had then. */
function begin({ database, scheduler }: Awaited<ReturnType<typeof openWorld>>, stop = async () => {}) {
  const lines: string[] = [];
  const drain = { lines, isOver: false, rows: [] as object[], done: Promise.resolve() };
  const say = (line: string): void => void lines.push(line);
  drain.done = drainJob({ job: JOB, database, scheduler, log: silent, say }, async () => {
    drain.isOver = true;
    drain.rows = [...database.rows(fleetWorker), ...database.rows(workerClaim), ...database.rows(jobHolder)];
    await stop();
  });
  return drain;
}

describe('draining a job', () => {
  it('ends it when everything that its readers had pulled is committed and acknowledged, and pulls nothing from then on', async () => {
    const world = await openRead(10);
    const { time, messages, publish, readOn, committing, database, topic, leased, unacknowledged } = world;
    const drain = begin(world);
    await time.pass(2 * SECOND_MS);
    await publish(5, 'later');
    await readOn();
    expect(drain.isOver, 'messages are in hand').to.equal(false);
    expect(messages).to.have.length(10);
    await world.during(commit(committing.name, messages), 5 * SECOND_MS);
    await drain.done;
    expect([database.rows(event).length, leased(), unacknowledged()]).to.deep.equal([10, 0, 5]);
    expect(topic.fates(SUBSCRIPTION).filter(({ deliveries }) => deliveries > 1)).to.deep.equal([]);
    expect(drain.lines.join()).to.match(/draining.*drained in/);
  });

  it('leaves no row of its workers, and no claim that a watermark would wait for', async () => {
    const world = await openRead(3);
    const drain = begin(world);
    await world.during(commit(world.committing.name, world.messages), 5 * SECOND_MS);
    await drain.done;
    expect(drain.rows).to.deep.equal([]);
    expect(world.database.rows(errandLease).filter(({ errand }) => errand.startsWith('drain'))).to.deep.equal(
      [],
    );
  });

  it('keeps a worker from reading that begins meanwhile', async () => {
    const world = await openRead(3);
    const drain = begin(world, () => world.scheduler.sleep(30 * SECOND_MS));
    await world.time.pass(2 * SECOND_MS);
    const late = world.openWorker();
    await world.publish(3, 'late');
    const messages: Parameters<typeof readOnce>[1] = [];
    await world.during(readOnce(late.name, messages), 2 * SECOND_MS);
    await world.during(commit(world.committing.name, world.messages), 5 * SECOND_MS);
    expect(drain.isOver).to.equal(true);
    await world.during(readOnce(late.name, messages), 15 * SECOND_MS);
    expect(messages, 'nor before its engine has ended the job').to.deep.equal([]);
    await world.during(drain.done);
  });

  it('takes so long at most, and says what it did not wait for', async () => {
    const world = await openRead(10);
    const drain = begin(world);
    await world.time.pass(DRAIN_MS_MAX - 2 * SECOND_MS);
    expect(drain.isOver).to.equal(false);
    await world.during(drain.done, 5 * SECOND_MS);
    expect(drain.lines.join()).to.include('1 of its workers still hold messages');
  });

  it('does not wait for workers that have died', async () => {
    const world = await openWorld();
    const { database, scheduler } = world;
    const dead = { job: JOB, worker: 'dead', heartbeatAt: scheduler.now() };
    await database.transact(async (tx) => tx.upsert(jobHolder, dead));
    const drain = begin(world);
    await world.time.pass(SILENT_MICROS / 1_000 - SECOND_MS);
    expect(drain.isOver).to.equal(false);
    await world.during(drain.done, 2 * SECOND_MS);
  });

  it('that dies with whoever began it is none: the readers read on', async () => {
    const world = await openRead(3);
    const { database, scheduler, time, messages, readOn, publish, committing } = world;
    const lease = { errand: `drain ${JOB}`, worker: 'dead', until: scheduler.now() + 10 * SECOND_MS * 1_000 };
    await database.transact(async (tx) => tx.upsert(errandLease, lease));
    await time.pass(SECOND_MS);
    await world.during(commit(committing.name, messages), 5 * SECOND_MS);
    await publish(2, 'more');
    await readOn();
    expect(messages).to.have.length(3);
    await time.pass(10 * SECOND_MS);
    await readOn();
    expect(messages).to.have.length(5);
  });

  it('ends the job in its time where the database is silent', async () => {
    const { database, scheduler, time } = await openRead(3);
    const silence = { ...database, transact: () => new Promise<never>(() => undefined) };
    let isOver = false;
    const options = { job: JOB, database: silence, scheduler, log: silent, say: () => undefined };
    const done = drainJob(options, async () => void (isOver = true));
    await time.pass(DRAIN_MS_MAX + 10 * SECOND_MS);
    await done;
    expect(isOver).to.equal(true);
  });

  it('ends the job at once where the database fails', async () => {
    const world = await openRead(3);
    world.database.failFor(10 * MINUTE_MS * 1_000);
    const drain = begin(world);
    await world.during(drain.done, SECOND_MS);
    expect(drain.isOver).to.equal(true);
  });
});
