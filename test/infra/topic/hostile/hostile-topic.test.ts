import { expect } from 'chai';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { commonTopicFaults, noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { HostileTopic, TopicFaults } from '#infra/topic/hostile/hostile-topic.ts';
import type { Message, OutgoingMessage, Topic } from '#infra/topic/topic.ts';
import { simulate, simulateSeeds } from '#test/support/simulation.ts';
import type { Simulation } from '#test/support/simulation.ts';

const SEEDS = 300;
const SECOND = 1_000_000;
const ACK_DEADLINE_SECONDS = 10;
const SUBSCRIPTION = 'pipeline';

const text = (content: string): OutgoingMessage => ({ data: new TextEncoder().encode(content) });
const textOf = ({ data }: Message): string => new TextDecoder().decode(data);
const ackIdsOf = (messages: readonly Message[]): string[] => messages.map(({ ackId }) => ackId);

const open = (sim: Simulation, faults: Partial<TopicFaults>): HostileTopic =>
  openHostileTopic({
    schedule: sim,
    faults: { ...noTopicFaults, ...faults },
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
  });

/** Does it again until an answer comes. */
async function insist<Result>(act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof TopicUnavailable)) throw error;
    }
  }
}

/** What it was refused with, or nothing. */
const refusalOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Takes messages and acknowledges them after some work, for ever. */
async function work(sim: Simulation, topic: Topic, seen: Set<string>): Promise<void> {
  for (;;) {
    const messages = await topic.pull(3);
    for (const message of messages) seen.add(textOf(message));
    await sim.sleep(sim.draw.below(2 * ACK_DEADLINE_SECONDS * SECOND));
    await refusalOf(topic.ack(ackIdsOf(messages)));
  }
}

describe('hostile topic', () => {
  it('loses no message, whatever is lost, late, doubled or crashed', () =>
    simulateSeeds(SEEDS, async (sim) => {
      const topic = open(sim, commonTopicFaults);
      const seen = new Set<string>();
      const sent = Array.from({ length: 12 }, (_, i) => `${i}`);
      const workers = ['one', 'two'];
      for (const worker of workers) void sim.spawn(worker, () => work(sim, topic.open(SUBSCRIPTION), seen));
      const producer = topic.open(SUBSCRIPTION);
      for (const content of sent) {
        await insist(() => producer.publish([text(content)]));
        if (!sim.draw.chance(0.1)) continue;
        sim.crash('one');
        void sim.spawn('one', () => work(sim, topic.open(SUBSCRIPTION), seen));
      }
      while (topic.fates(SUBSCRIPTION).some(({ acknowledged }) => !acknowledged)) await sim.sleep(SECOND);
      for (const worker of workers) sim.crash(worker);
      expect([...seen]).to.have.members(sent);
    }));

  it('says of the oldest unacknowledged message exactly what is true when it looks, or that it cannot tell', () =>
    simulateSeeds(SEEDS, async (sim) => {
      const topic = open(sim, { ...commonTopicFaults, delay: 0 });
      const handle = topic.open(SUBSCRIPTION);
      void sim.spawn('worker', () => work(sim, topic.open(SUBSCRIPTION), new Set()));
      for (let i = 0; i < 10; i++) {
        await insist(() => handle.publish([text(`${i}`), text('twin')]));
        const told = await handle.oldestUnacknowledged();
        const fates = topic.fates(SUBSCRIPTION);
        const left = fates.filter(({ acknowledged }) => !acknowledged).map(({ publishTime }) => publishTime);
        if (told === 'unknown') continue;
        expect(told.oldest).to.equal(left.length === 0 ? undefined : Math.min(...left));
        expect(told.at).to.be.at.least(Math.max(...fates.map(({ publishTime }) => publishTime)));
      }
      sim.crash('worker');
    }));

  it('publishes nothing at or before a time it has told', () =>
    simulate(1, async (sim) => {
      const topic = open(sim, {});
      const handle = topic.open(SUBSCRIPTION);
      const told = await handle.oldestUnacknowledged();
      await handle.publish([text('a')]);
      expect(topic.fates(SUBSCRIPTION)[0]?.publishTime).to.be.above(told === 'unknown' ? Infinity : told.at);
    }));

  it('delivers in an order of its own, early, twice and after the acknowledgement, and counts every attempt', async () => {
    const met = new Set<string>();
    await simulateSeeds(SEEDS, async (sim) => {
      const topic = open(sim, { redeliver: 0.3, duplicate: 0.3 }).open(SUBSCRIPTION);
      await topic.publish(['a', 'b', 'c'].map(text));
      const first = await topic.pull(10);
      if (first.map(textOf).join('') !== 'abc') met.add('another order');
      if (first.length > 3) met.add('twice in one answer');
      for (const id of new Set(first.map((message) => message.id))) {
        const attempts = first.filter((message) => message.id === id).map(({ attempt }) => attempt);
        expect(attempts).to.deep.equal(attempts.map((_, i) => i + 1));
      }
      if ((await topic.pull(10)).length > 0) met.add('before the deadline');
      await topic.ack(ackIdsOf(first));
      if ((await topic.pull(10)).length > 0) met.add('after the acknowledgement');
    });
    expect([...met]).to.have.lengthOf(4);
  });

  it('an answer that is lost says nothing about the deed', async () => {
    const met = new Set<string>();
    await simulateSeeds(SEEDS, async (sim) => {
      const topic = open(sim, {});
      const handle = topic.open(SUBSCRIPTION);
      await handle.publish([text('a')]);
      const messages = await handle.pull(1);
      topic.setFaults({ ...noTopicFaults, lostAnswer: 1 });
      expect(await refusalOf(handle.ack(ackIdsOf(messages)))).to.be.instanceOf(TopicUnavailable);
      expect(await refusalOf(handle.publish([text('b')]))).to.be.instanceOf(TopicUnavailable);
      const fates = topic.fates(SUBSCRIPTION);
      met.add(`${fates.length} published, acknowledged: ${fates[0]?.acknowledged ?? false}`);
    });
    expect([...met]).to.have.lengthOf(4);
  });

  it('an acknowledgement after the deadline may be forgotten; one in time never is', async () => {
    const late = new Set<boolean>();
    await simulateSeeds(SEEDS, async (sim) => {
      const topic = open(sim, { forgetLateAck: 0.5 });
      const handle = topic.open(SUBSCRIPTION);
      await handle.publish([text('a'), text('b')]);
      const [first, second] = await handle.pull(2);
      await handle.ack([first!.ackId]);
      expect(topic.fates(SUBSCRIPTION).filter(({ acknowledged }) => acknowledged)).to.have.lengthOf(1);
      await sim.sleep(ACK_DEADLINE_SECONDS * SECOND);
      await handle.ack([second!.ackId]);
      late.add(topic.fates(SUBSCRIPTION).every(({ acknowledged }) => acknowledged));
    });
    expect([...late]).to.have.members([true, false]);
  });

  it('an acknowledgement from before a seek does not undo the seek', () =>
    simulate(1, async (sim) => {
      const topic = open(sim, {});
      const handle = topic.open(SUBSCRIPTION);
      await handle.publish([text('a')]);
      const before = await handle.pull(1);
      await handle.seek(before[0]!.publishTime);
      await handle.ack(ackIdsOf(before));
      expect((await handle.pull(1)).map(({ attempt }) => attempt)).to.deep.equal([1]);
    }));

  it('an outage fails everything and ends by the clock', () =>
    simulate(1, async (sim) => {
      const topic = open(sim, {});
      const handle = topic.open(SUBSCRIPTION);
      topic.failFor(SECOND);
      expect(await refusalOf(handle.publish([text('a')]))).to.be.instanceOf(TopicUnavailable);
      expect(await refusalOf(handle.pull(1))).to.be.instanceOf(TopicUnavailable);
      await sim.sleep(SECOND);
      await handle.publish([text('a')]);
      expect(await handle.pull(1)).to.have.lengthOf(1);
    }));

  it('what is published and what is delivered are copies', () =>
    simulate(1, async (sim) => {
      const handle = open(sim, { redeliver: 1 }).open(SUBSCRIPTION);
      const outgoing = text('a');
      await handle.publish([outgoing]);
      outgoing.data.fill(0);
      const [first] = await handle.pull(1);
      first!.data.fill(0);
      expect((await handle.pull(1)).map(textOf)).to.deep.equal(['a']);
    }));
});
