import { protos } from '@google-cloud/pubsub';
import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { receivedMessage } from '#infra/topic/pubsub/received-message.ts';
import { NO_ACK_ID, readPubsubMessage } from '#pipelines/portable/from-pubsub.ts';

const { PubsubMessage } = protos.google.pubsub.v1;
const PUBLISHED_MS = 1_800_000_000_123;
/** What Pub/Sub takes is Unicode. */
const text = fc.string({ unit: 'grapheme' });
const message = fc.record({
  messageId: text,
  data: fc.uint8Array({ maxLength: 2_000 }),
  attributes: fc.dictionary(text, text, { maxKeys: 6 }),
});
const timeOf = (ms: number) => ({ seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 });

describe('what Java reads of Pub/Sub', () => {
  it('is the message that our own source gives, but for what it would be acknowledged by', () => {
    fc.assert(
      fc.property(message, fc.nat({ max: 2 * PUBLISHED_MS }), (published, ms) => {
        const bytes = PubsubMessage.encode(published).finish();
        const { bytes: _, ...own } = receivedMessage({
          ackId: NO_ACK_ID,
          message: { ...published, publishTime: timeOf(ms) },
        });
        const read = readPubsubMessage(bytes, ms);
        expect({ ...read, data: Buffer.from(read.data) }).to.deep.equal({
          ...{ ...own, attempt: 1 },
          data: Buffer.from(own.data),
        });
      }),
    );
  });

  it('has its own publish time where it comes with the message, which is finer', () => {
    const publishTime = { seconds: 1_800_000_000, nanos: 123_456_789 };
    const bytes = PubsubMessage.encode({ data: new Uint8Array(0), publishTime }).finish();
    expect(readPubsubMessage(bytes, 7).publishTime).to.equal(1_800_000_000_123_456);
    expect(readPubsubMessage(new Uint8Array(0), 7).publishTime).to.equal(7 * MICROS_PER_MILLI);
  });

  it('may have fields that nobody knows yet', () => {
    const { messageId, orderingKey } = { messageId: '17', orderingKey: 'a key' };
    const bytes = PubsubMessage.encode({ messageId, orderingKey }).finish();
    expect(readPubsubMessage(bytes, PUBLISHED_MS)).to.include({ id: messageId });
  });

  it('is refused when it is cut off', () => {
    const bytes = PubsubMessage.encode({ data: new Uint8Array(100), messageId: '17' }).finish();
    expect(() => readPubsubMessage(bytes.subarray(0, 50), PUBLISHED_MS)).to.throw(RangeError);
  });

  it('has each attribute as a property of its own, whatever its name', () => {
    const attributes = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const read = readPubsubMessage(PubsubMessage.encode({ attributes }).finish(), PUBLISHED_MS);
    expect(Object.entries(read.attributes)).to.deep.equal([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});
