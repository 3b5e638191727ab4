import { expect } from 'chai';
import { isHeartbeat, publishHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Message, OutgoingMessage, Topic } from '#infra/topic/topic.ts';

/** One fresh topic, as a driver's tests open it. */
export interface TopicUnderTest {
  /** A handle on the topic through that subscription, which exists from then on. */
  open(subscription: string): Promise<Topic>;
  /** The acknowledgement deadlines of everything pulled and not extended are over when this resolves. */
  passAckDeadline(): Promise<void>;
  /** How long `passAckDeadline` lets pass at most. */
  readonly ackDeadlineSeconds: number;
  /** The topic takes no message without data and attributes. */
  readonly refusesEmptyMessages?: boolean;
  dispose(): Promise<void>;
}

/** A pull may give less than there is: only many empty pulls in a row mean that there is nothing. */
const MAX_PULLS = 100;

export const textMessage = (text: string): OutgoingMessage => ({ data: new TextEncoder().encode(text) });
export const textOf = (message: Message): string => new TextDecoder().decode(message.data);
const textsOf = (messages: readonly Message[]): string[] => messages.map(textOf).sort();
const ackIdsOf = (messages: readonly Message[]): string[] => messages.map((message) => message.ackId);
const numbered = (count: number): OutgoingMessage[] =>
  Array.from({ length: count }, (_, i) => textMessage(String(i).padStart(4, '0')));

async function pullCount(topic: Topic, count: number): Promise<Message[]> {
  const pulled: Message[] = [];
  for (let i = 0; i < MAX_PULLS && pulled.length < count; i++)
    pulled.push(...(await topic.pull(count - pulled.length)));
  return pulled;
}

/** What every driver of the port has to do; a driver's tests call it with a way to make a fresh topic. */
export function topicContract(name: string, start: () => Promise<TopicUnderTest>): void {
  describe(`${name}: the topic contract`, () => {
    let underTest: TopicUnderTest;
    let topic: Topic;
    beforeEach(async () => {
      underTest = await start();
      topic = await underTest.open('first');
    });
    afterEach(async () => {
      await topic.close();
      await underTest.dispose();
    });

    it('delivers every published message once while its lease lasts, with its bytes, attributes and id', async () => {
      const attributes = { 'millrace-namespace': 'default', note: 'Zürich "7" \u0000' };
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const ids = await topic.publish([
        { data: bytes, attributes },
        textMessage('plain'),
        { data: new Uint8Array(0), attributes },
      ]);
      const pulled = await pullCount(topic, 3);
      const byId = new Map(pulled.map((message) => [message.id, message]));
      expect(ids.map((id) => byId.get(id)?.attributes)).to.deep.equal([attributes, {}, attributes]);
      expect(ids.map((id) => Array.from(byId.get(id)!.data))).to.deep.equal([
        Array.from(bytes),
        Array.from(new TextEncoder().encode('plain')),
        [],
      ]);
      expect(pulled.map((message) => message.attempt)).to.deep.equal([1, 1, 1]);
      expect(await topic.pull(10)).to.deep.equal([]);
    });

    it('gives every message an id of its own, whoever publishes', async () => {
      const other = await underTest.open('first');
      const calls = await Promise.all([
        topic.publish(numbered(50)),
        other.publish(numbered(50)),
        topic.publish(numbered(50)),
      ]);
      await other.close();
      expect(new Set(calls.flat()).size).to.equal(150);
    });

    it('publishes nothing when it is given nothing', async () => {
      expect(await topic.publish([])).to.deep.equal([]);
      expect(await topic.pull(1)).to.deep.equal([]);
    });

    it('pulls no more than it is asked for, and the rest later', async () => {
      await topic.publish(numbered(25));
      const sizes: number[] = [];
      const texts = new Set<string>();
      for (let i = 0; i < MAX_PULLS && texts.size < 25; i++) {
        const pulled = await topic.pull(4);
        sizes.push(pulled.length);
        for (const message of pulled) texts.add(textOf(message));
      }
      expect(Math.max(...sizes)).to.be.at.most(4);
      expect(texts.size).to.equal(25);
    });

    it('never delivers an acknowledged message again', async () => {
      await topic.publish(numbered(10));
      const pulled = await pullCount(topic, 10);
      await topic.ack(ackIdsOf(pulled.slice(0, 7)));
      await underTest.passAckDeadline();
      expect(textsOf(await pullCount(topic, 3))).to.deep.equal(textsOf(pulled.slice(7)));
      expect(await topic.pull(10)).to.deep.equal([]);
    });

    it('takes an acknowledgement twice without harm', async () => {
      await topic.publish(numbered(4));
      const pulled = await pullCount(topic, 4);
      await topic.ack(ackIdsOf(pulled.slice(0, 2)));
      await topic.ack(ackIdsOf(pulled.slice(0, 2)));
      await underTest.passAckDeadline();
      expect(textsOf(await pullCount(topic, 2))).to.deep.equal(textsOf(pulled.slice(2)));
    });

    it('delivers a message again after its deadline, with the same id and publish time and a higher attempt', async () => {
      await topic.publish([textMessage('a')]);
      const [first] = await pullCount(topic, 1);
      await underTest.passAckDeadline();
      const [second] = await pullCount(topic, 1);
      expect(second?.id).to.equal(first?.id);
      expect(second?.publishTime).to.equal(first?.publishTime);
      expect(second?.attempt).to.equal(2);
      expect(textOf(second!)).to.equal('a');
    });

    it('delivers a released message again at once', async () => {
      await topic.publish(numbered(6));
      const pulled = await pullCount(topic, 6);
      await topic.release(ackIdsOf(pulled.filter((_, i) => i % 2 === 0)));
      const again = await pullCount(topic, 3);
      expect(textsOf(again)).to.deep.equal(textsOf(pulled.filter((_, i) => i % 2 === 0)));
      expect(again.map((message) => message.attempt)).to.deep.equal([2, 2, 2]);
      expect(await topic.pull(10)).to.deep.equal([]);
    });

    it('keeps an extended message leased beyond its first deadline', async () => {
      await topic.publish(numbered(6));
      const pulled = await pullCount(topic, 6);
      await topic.extend(ackIdsOf(pulled.slice(1, 5)), 5 * underTest.ackDeadlineSeconds);
      await underTest.passAckDeadline();
      expect(textsOf(await pullCount(topic, 2))).to.deep.equal(textsOf([pulled[0]!, pulled[5]!]));
      expect(await topic.pull(10)).to.deep.equal([]);
    });

    it('shares the messages between the handles of one subscription', async () => {
      const other = await underTest.open('first');
      await topic.publish(numbered(20));
      const pulled: Message[] = [];
      // Which of them a message is given to is up to the topic, so all are asked until every message is there.
      for (let i = 0; i < MAX_PULLS && pulled.length < 20; i++)
        pulled.push(...(await topic.pull(10)), ...(await other.pull(20)));
      await other.close();
      expect(textsOf(pulled)).to.deep.equal(numbered(20).map(({ data }) => new TextDecoder().decode(data)));
    });

    it('delivers every message to every subscription', async () => {
      const other = await underTest.open('second');
      await topic.publish(numbered(5));
      await topic.ack(ackIdsOf(await pullCount(topic, 5)));
      const pulled = await pullCount(other, 5);
      await other.close();
      expect(textsOf(pulled)).to.have.length(5);
    });

    it('delivers again what was published at or after the time it is told to seek, acknowledged or not', async () => {
      await topic.publish(numbered(3));
      await topic.ack(ackIdsOf(await pullCount(topic, 3)));
      await topic.publish([textMessage('later, acknowledged'), textMessage('later, leased')]);
      const later = await pullCount(topic, 2);
      await topic.ack(ackIdsOf(later.filter((message) => textOf(message) === 'later, acknowledged')));
      await topic.seek(Math.min(...later.map((message) => message.publishTime)));
      const again = await pullCount(topic, 2);
      expect(textsOf(again)).to.include.members(['later, acknowledged', 'later, leased']);
    });

    it('never says that a message is counted before it is acknowledged', async () => {
      await topic.publish(numbered(3));
      const pulled = await pullCount(topic, 3);
      const oldest = Math.min(...pulled.map((message) => message.publishTime));
      const seen = await topic.oldestUnacknowledged();
      if (seen !== 'unknown') expect(seen.oldest).to.be.at.most(oldest);
      await topic.ack(ackIdsOf(pulled));
      const after = await topic.oldestUnacknowledged();
      if (after !== 'unknown' && after.oldest === undefined) expect(after.at).to.be.at.least(oldest);
    });

    it('carries heartbeats as messages that are told from events', async () => {
      await publishHeartbeat(topic);
      const nothing = { data: new Uint8Array(0) };
      await topic.publish([
        underTest.refusesEmptyMessages ? { ...nothing, attributes: { note: '' } } : nothing,
      ]);
      const pulled = await pullCount(topic, 2);
      expect(pulled.filter(isHeartbeat)).to.have.length(1);
    });

    it('refuses a message over the limit and goes on with the next', async () => {
      const refused = await topic.publish([{ data: new Uint8Array(10_000_001) }]).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused).to.be.instanceOf(RangeError);
      await topic.publish([textMessage('small')]);
      expect(textsOf(await pullCount(topic, 1))).to.deep.equal(['small']);
    });
  });
}
