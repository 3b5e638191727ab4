import { expect } from 'chai';
import { answerFor } from '#infra/fleet/answer-for.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const SECOND = 1_000_000;
const DEADLINE_SECONDS = 10;
const REMEMBER_MICROS = 100 * SECOND;

function openAnswered() {
  const clock = { now: SIMULATION_START };
  const schedule = { point: () => Promise.resolve(), random: () => 0.5, now: () => clock.now };
  const topic = openHostileTopic({
    schedule,
    faults: noTopicFaults,
    ackDeadlineSeconds: DEADLINE_SECONDS,
  }).open('s');
  const options = {
    clock: () => clock.now,
    ackDeadlineSeconds: DEADLINE_SECONDS,
    rememberMicros: REMEMBER_MICROS,
  };
  return { clock, ...answerFor(topic, options) };
}

async function given() {
  const answered = openAnswered();
  await answered.topic.publish([{ data: new Uint8Array(1) }]);
  answered.clock.now += SECOND;
  const ids = (await answered.topic.pull(1)).map(({ ackId }) => ackId);
  return { ...answered, ids };
}

describe('what a worker answers for', () => {
  it('is what it was given, until that is acknowledged', async () => {
    const { topic, oldest, ids } = await given();
    expect(oldest(0)).to.equal(SIMULATION_START);
    await topic.ack(ids);
    expect(oldest(0)).to.equal(undefined);
  });

  it('is also what it gave back or let go, until that must be with another', async () => {
    const { clock, topic, oldest, ids } = await given();
    await topic.release(ids);
    clock.now += REMEMBER_MICROS;
    expect(oldest(0)).to.equal(SIMULATION_START);
    clock.now += 1;
    expect(oldest(0)).to.equal(undefined);
    const forgotten = await given();
    forgotten.clock.now += DEADLINE_SECONDS * SECOND + REMEMBER_MICROS;
    expect(forgotten.oldest(0)).to.equal(SIMULATION_START);
  });

  it('is not forgotten while nobody has room: the time counts from when somebody has', async () => {
    const { clock, topic, oldest, ids } = await given();
    await topic.release(ids);
    clock.now += 10 * REMEMBER_MICROS;
    expect(oldest(undefined)).to.equal(SIMULATION_START);
    expect(oldest(clock.now - REMEMBER_MICROS)).to.equal(SIMULATION_START);
    expect(oldest(clock.now - REMEMBER_MICROS - 1)).to.equal(undefined);
  });
});
