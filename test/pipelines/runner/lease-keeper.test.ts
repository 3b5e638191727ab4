import { expect } from 'chai';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import { keepLeases } from '#pipelines/runner/lease-keeper.ts';
import { createVirtualTime } from './virtual-time.ts';

const DEADLINE_SECONDS = 60;
const SECOND_MS = 1_000;

/** A message in hand, its lease, and a second reader that would get the message if the lease ended. */
async function openLease() {
  const time = createVirtualTime();
  const hostile = openHostileTopic({
    schedule: time.schedule,
    faults: noTopicFaults,
    ackDeadlineSeconds: DEADLINE_SECONDS,
  });
  const topic = hostile.open('pipeline');
  await topic.publish([{ data: new Uint8Array([1]) }]);
  const ids = (await topic.pull(1)).map(({ ackId }) => ackId);
  const keep = () => keepLeases({ topic, ids, scheduler: time.scheduler, deadlineSeconds: DEADLINE_SECONDS });
  const isFree = async () => (await topic.pull(1)).length > 0;
  return { time, hostile, keep, isFree };
}

describe('keeping leases', () => {
  it('keeps messages in hand for as long as their bundle takes', async () => {
    const { time, keep, isFree } = await openLease();
    const keeping = keep();
    for (let minute = 0; minute < 10; minute++) {
      await time.pass(60 * SECOND_MS);
      expect(await isFree()).to.equal(false);
    }
    await keeping.end();
  });

  it('survives a turn in which the topic is down', async () => {
    const { time, hostile, keep, isFree } = await openLease();
    const keeping = keep();
    await time.pass(19 * SECOND_MS);
    hostile.failFor(2 * SECOND_MS * 1_000);
    await time.pass(50 * SECOND_MS);
    expect(await isFree()).to.equal(false);
    await keeping.end();
  });

  it('stops at its end: what was not acknowledged is delivered again after the deadline', async () => {
    const { time, keep, isFree } = await openLease();
    const keeping = keep();
    await time.pass(30 * SECOND_MS);
    await keeping.end();
    await time.pass(DEADLINE_SECONDS * SECOND_MS);
    expect(await isFree()).to.equal(true);
  });
});
