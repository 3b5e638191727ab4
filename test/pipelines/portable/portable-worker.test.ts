import { expect } from 'chai';
import { fleetReceipt, fleetWorker, jobHolder, workerClaim } from '#infra/fleet/tables.ts';
import { CLAIM_FRESH_MICROS } from '#infra/fleet/windows.ts';
import { event, watermark } from '#infra/usage/tables.ts';
import { COMMIT_PATIENCE_SECONDS } from '#pipelines/portable/portable-worker.ts';
import { withdrawWorker } from '#pipelines/portable/portable-workers.ts';
import { WAIT_MS } from '#pipelines/portable/read-messages.ts';
import {
  ACK_DEADLINE_SECONDS,
  BOUND,
  commit,
  MINUTE_MS,
  openRead,
  openWorld,
  readOnce,
  SECOND_MS,
  SUBSCRIPTION,
} from './worker-world.ts';

describe('a worker of a distributed runner', () => {
  it('reads what another commits, and has room again when that is acknowledged', async () => {
    const { messages, readOn, committing, database, publish, during, unacknowledged } = await openRead(
      2 * BOUND,
    );
    expect(messages).to.have.length(BOUND);
    await readOn();
    expect(messages, 'no more than its bound').to.have.length(BOUND);
    await during(commit(committing.name, messages), 3 * SECOND_MS);
    expect(database.rows(event)).to.have.length(BOUND);
    expect(database.rows(fleetReceipt), 'read and deleted').to.deep.equal([]);
    await readOn();
    expect(messages).to.have.length(2 * BOUND);
    await during(commit(committing.name, messages), 3 * SECOND_MS);
    await publish(1, 'last');
    expect([database.rows(event).length, unacknowledged()]).to.deep.equal([2 * BOUND, 1]);
  });

  it('moves the watermark to what is committed, and not beyond what is in other hands', async () => {
    const { messages, committing, time, during, database, topic } = await openRead(10);
    await time.pass(30 * SECOND_MS);
    const through = () => database.rows(watermark)[0]?.committedThrough ?? 0;
    const [first] = topic.fates(SUBSCRIPTION);
    expect(through()).to.equal(first?.publishTime);
    await during(commit(committing.name, messages), 5 * SECOND_MS);
    expect(through()).to.be.above(first?.publishTime ?? Infinity);
  });

  it('waits in a round that finds nothing, and pulls no more often than it must', async () => {
    const { time, scheduler, openWorker, pulls, during } = await openWorld();
    const { name } = openWorker();
    await during(readOnce(name, []), 2 * SECOND_MS);
    const before = { pulls: pulls(), at: scheduler.now() };
    let endedAt = 0;
    const round = readOnce(name, []).then(() => (endedAt = scheduler.now()));
    await time.pass(2 * SECOND_MS);
    await round;
    expect((endedAt - before.at) / 1_000).to.equal(WAIT_MS);
    expect(pulls() - before.pulls).to.be.at.most(WAIT_MS / 20 + 1);
  });

  it('keeps what its reader was given while its runner asks for no round, for longer than a sink waits for its store', async () => {
    const { time, leased } = await openRead(10, 10);
    await time.pass((COMMIT_PATIENCE_SECONDS + 15) * SECOND_MS);
    expect(leased()).to.equal(10);
  });

  it('goes on when its topic cannot be pulled for a while', async () => {
    const { topic, readOn, publish, messages } = await openRead(3);
    await publish(3, 'late');
    topic.failFor(5 * SECOND_MS * 1_000);
    await readOn();
    expect(messages).to.have.length(3);
    await readOn(10 * SECOND_MS);
    await readOn(10 * SECOND_MS);
    expect(messages).to.have.length(6);
  });

  it('gives back what it holds and leaves no row when it closes', async () => {
    const { reading, committing, leased, database, during } = await openRead(10);
    expect(leased()).to.equal(10);
    await during(reading.worker.close(), 5 * SECOND_MS);
    await during(committing.worker.close(), 5 * SECOND_MS);
    expect(leased()).to.equal(0);
    expect([...database.rows(fleetWorker), ...database.rows(jobHolder)]).to.deep.equal([]);
    expect(database.rows(workerClaim).filter(({ oldest }) => oldest === null)).to.deep.equal([]);
    withdrawWorker(reading.name);
  });

  it('that cannot say what it holds gives everything back before its claim is stale, and reads again when it can', async () => {
    const { database, time, leased, readOn, messages } = await openRead(10);
    expect(leased()).to.equal(10);
    database.failFor(MINUTE_MS * 1_000);
    await time.pass(CLAIM_FRESH_MICROS / 1_000);
    expect(leased()).to.equal(0);
    await time.pass(2 * MINUTE_MS);
    await readOn();
    expect(messages).to.have.length(20);
  });

  it('promises no times for a deadline and a second after a job began, and then how far its topic is acknowledged', async () => {
    const { readOn, time, scheduler } = await openRead(1);
    expect((await readOn()).watermarkMs).to.equal(0);
    await time.pass((ACK_DEADLINE_SECONDS + 1) * SECOND_MS);
    const next = await readOn();
    expect(next.watermarkMs).to.be.within(scheduler.now() / 1_000 - 3 * SECOND_MS, scheduler.now() / 1_000);
  });
});

describe('the sink of a distributed runner', () => {
  it('waits for a database that is down for a while, and acknowledges nothing before it has committed', async () => {
    const { database, committing, messages, time, unacknowledged } = await openRead(10);
    database.failFor((COMMIT_PATIENCE_SECONDS / 2) * SECOND_MS * 1_000);
    const committed = commit(committing.name, messages);
    await time.pass((COMMIT_PATIENCE_SECONDS / 2 - 5) * SECOND_MS);
    expect(unacknowledged()).to.equal(10);
    await time.pass(20 * SECOND_MS);
    await committed;
    expect([database.rows(event).length, unacknowledged()]).to.deep.equal([10, 0]);
  });

  it('fails its bundle when that takes too long, so that its runner knows', async () => {
    const { database, committing, messages, time, unacknowledged } = await openRead(10);
    database.failFor(10 * MINUTE_MS * 1_000);
    const committed = commit(committing.name, messages).catch((error: unknown) => error);
    await time.pass((COMMIT_PATIENCE_SECONDS + 10) * SECOND_MS);
    expect(await committed).to.be.instanceOf(Error);
    expect(unacknowledged()).to.equal(10);
  });

  it('commits while the warehouse is down, and leaves the messages to come again', async () => {
    const { warehouse, database, committing, messages, during, unacknowledged } = await openRead(10);
    warehouse.failFor(10 * MINUTE_MS * 1_000);
    await during(commit(committing.name, messages), 5 * SECOND_MS);
    expect([database.rows(event).length, unacknowledged()]).to.deep.equal([10, 10]);
  });
});
