import { expect } from 'chai';
import type { EmbeddedTopic } from '#infra/topic/embedded/embedded-topic.ts';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';
import { ACK_DEADLINE_SECONDS, freshTopic } from './fresh-topic.ts';
import type { FreshTopic } from './fresh-topic.ts';

describe('the leases of an embedded topic', () => {
  let fresh: FreshTopic;
  let topic: EmbeddedTopic;
  beforeEach(async () => {
    fresh = await freshTopic();
    topic = await fresh.open();
    await topic.publish(['a', 'b', 'c', 'd'].map(textMessage));
  });
  afterEach(() => fresh.dispose());

  const texts = async (): Promise<string[]> => (await topic.pull(100)).map(textOf).sort();

  it('counts an acknowledgement of a message whose lease has ended, whoever holds it now', async () => {
    const early = await topic.pull(100);
    fresh.pass(ACK_DEADLINE_SECONDS);
    expect(await texts()).to.have.length(4);
    await topic.ack(early.slice(1, 3).map((message) => message.ackId));
    fresh.pass(ACK_DEADLINE_SECONDS);
    expect(await texts()).to.deep.equal(['a', 'd']);
  });

  it('lets nobody release or extend what another holds by now', async () => {
    const early = (await topic.pull(100)).map((message) => message.ackId);
    fresh.pass(ACK_DEADLINE_SECONDS);
    await topic.pull(100);
    await topic.release(early);
    expect(await texts()).to.deep.equal([]);
    await topic.extend(early, 600);
    fresh.pass(ACK_DEADLINE_SECONDS);
    expect(await texts()).to.have.length(4);
  });

  it('delivers again what a seek asked for, also when it is acknowledged by a delivery before the seek', async () => {
    const early = await topic.pull(100);
    await topic.seek(early[0]!.publishTime);
    expect((await topic.pull(1)).map(textOf)).to.deep.equal(['a']);
    await topic.ack(early.map((message) => message.ackId));
    expect(await texts()).to.deep.equal(['b', 'c', 'd']);
  });

  it('skips nothing when it is told to seek a time to come', async () => {
    await topic.seek(fresh.now() + 1_000_000);
    expect(await texts()).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('begins a new subscription with the oldest message kept', async () => {
    await topic.ack((await topic.pull(100)).map((message) => message.ackId));
    const late = await fresh.open({ subscription: 'late' });
    expect((await late.pull(100)).map(textOf)).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('delivers what does not fit into a pull with the next, as its first attempt', async () => {
    const pulled = [await topic.pull(1), await topic.pull(2), await topic.pull(2)];
    expect(pulled.map((messages) => messages.map(textOf))).to.deep.equal([['a'], ['b', 'c'], ['d']]);
    expect(pulled.flat().map((message) => message.attempt)).to.deep.equal([1, 1, 1, 1]);
  });

  it('counts the backlog: what was never delivered and what is not acknowledged', async () => {
    await topic.publish(['e', 'f'].map(textMessage));
    expect((await topic.backlog()).messages).to.equal(6);
    const pulled = await topic.pull(3);
    await topic.ack([pulled[1]!.ackId]);
    const backlog = await topic.backlog();
    expect(backlog).to.deep.include({ messages: 5, oldest: pulled[0]!.publishTime });
    await topic.ack([...pulled, ...(await topic.pull(100))].map((message) => message.ackId));
    expect(await topic.backlog()).to.deep.equal({ messages: 0, bytes: 0 });
  });

  it('says what is wrong with an id, a number or a time that cannot be', async () => {
    const calls = [
      () => topic.ack(['nonsense']),
      () => topic.release(['1.2.x']),
      () => topic.ack(['1.2.99999999999']),
      () => topic.pull(0),
      () => topic.extend([], 601),
      () => topic.seek(0.5),
    ];
    for (const call of calls) {
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(RangeError);
    }
  });

  it('refuses to work when it is closed, after finishing what it had begun', async () => {
    const publishing = topic.publish([textMessage('e')]);
    await topic.close();
    expect(await publishing).to.have.length(1);
    const error = await topic.pull(1).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(TopicUnavailable);
  });
});
