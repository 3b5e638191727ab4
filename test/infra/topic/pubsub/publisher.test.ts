import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { TopicLimitExceeded, TopicUnavailable } from '#infra/topic/errors.ts';
import {
  PUBLISH_HELD_BYTES_MAX,
  PUBLISH_LINGER_MS,
  PUBLISH_REQUEST_BYTES_MAX,
  PUBLISH_REQUEST_MESSAGES_MAX,
  PUBLISH_REQUESTS_IN_FLIGHT_MAX,
} from '#infra/topic/pubsub/limits.ts';
import { createPublisher, type SendRequest } from '#infra/topic/pubsub/publisher.ts';
import type { OutgoingMessage } from '#infra/topic/topic.ts';
import { createVirtualTime } from '#test/pipelines/runner/virtual-time.ts';

/** A message of so many bytes at least, which begins with a text. */
function message(text: string, bytes = 0): OutgoingMessage {
  const data = Buffer.alloc(Math.max(bytes, Buffer.byteLength(text)));
  data.write(text);
  return { data };
}
const messages = (count: number, bytes = 0): OutgoingMessage[] =>
  Array.from({ length: count }, (_, i) => message(`m${i}`, bytes));
const TEXT_MAX = 20;
const textOf = ({ data }: OutgoingMessage): string =>
  Buffer.from(data.subarray(0, TEXT_MAX)).toString().replace(/\0.*/, '');
const grpcError = (code: status): Error => Object.assign(new Error(status[code]), { code });
const failed = (error: unknown): unknown => error;

/** A server that names each message by its own text; a test may hold its answers, and refuse. */
function open(refuses: (sent: readonly OutgoingMessage[]) => status | undefined = () => undefined) {
  const time = createVirtualTime();
  const requests: OutgoingMessage[][] = [];
  const held: (() => void)[] = [];
  let holding = false;
  const send: SendRequest = async (sent) => {
    requests.push([...sent]);
    if (holding) await new Promise<void>((resolve) => held.push(resolve));
    const code = refuses(sent);
    if (code !== undefined) throw grpcError(code);
    return sent.map((one) => `id of ${textOf(one)}`);
  };
  return {
    time,
    requests,
    publisher: createPublisher(send, time.scheduler),
    hold: () => void (holding = true),
    letGo: () => {
      holding = false;
      held.splice(0).forEach((resolve) => resolve());
    },
    sizes: () => requests.map(({ length }) => length),
  };
}

describe('a publisher', () => {
  it('gathers calls of some milliseconds into one request, and gives each its own ids', async () => {
    const { time, publisher, sizes } = open();
    const calls = [publisher.publish([message('a'), message('b')]), publisher.publish([message('c')])];
    await time.pass(PUBLISH_LINGER_MS - 1);
    expect(sizes()).to.deep.equal([]);
    calls.push(publisher.publish([message('d')]));
    await time.pass(1);
    expect(sizes()).to.deep.equal([4]);
    expect(await Promise.all(calls)).to.deep.equal([['id of a', 'id of b'], ['id of c'], ['id of d']]);
  });

  it('does not wait for company once a request is full', async () => {
    const { publisher, sizes } = open();
    await publisher.publish(messages(PUBLISH_REQUEST_MESSAGES_MAX));
    expect(sizes()).to.deep.equal([PUBLISH_REQUEST_MESSAGES_MAX]);
    await publisher.publish(messages(1, PUBLISH_REQUEST_BYTES_MAX));
    expect(sizes()).to.deep.equal([PUBLISH_REQUEST_MESSAGES_MAX, 1]);
  });

  it('keeps every request within the limits, every message once, every id where it belongs', async () => {
    const call = fc.array(fc.integer({ min: 1, max: 3_000_000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 6 }),
        fc.integer({ min: 1, max: 2_500 }),
        async (calls, many) => {
          const { time, publisher, requests } = open();
          const published = [
            ...calls.map((sizes, at) => sizes.map((size, i) => message(`${at}-${i}`, size))),
          ];
          const outcomes = [...published, messages(many)].map((sent) =>
            publisher.publish(sent).then(
              (ids) => expect(ids).to.deep.equal(sent.map((one) => `id of ${textOf(one)}`)),
              (error: unknown) => expect(error).to.be.instanceOf(Error),
            ),
          );
          await time.pass(2 * PUBLISH_LINGER_MS);
          await Promise.all(outcomes);
          for (const request of requests) {
            expect(request.length).to.be.at.most(PUBLISH_REQUEST_MESSAGES_MAX);
            const bytes = request.reduce((sum, { data }) => sum + data.length, 0);
            expect(bytes).to.be.at.most(PUBLISH_REQUEST_BYTES_MAX);
          }
          const sent = requests.flat();
          expect(new Set(sent).size).to.equal(sent.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('has a bounded number of requests on their way, and sends the rest as they return', async () => {
    const { time, publisher, hold, letGo, sizes } = open();
    hold();
    const count = 3 * PUBLISH_REQUESTS_IN_FLIGHT_MAX;
    const calls = Array.from({ length: count }, () =>
      publisher.publish(messages(PUBLISH_REQUEST_MESSAGES_MAX)),
    );
    await time.pass(1_000);
    expect(sizes()).to.have.length(PUBLISH_REQUESTS_IN_FLIGHT_MAX);
    letGo();
    await Promise.all(calls);
    expect(sizes()).to.have.length(count);
  });

  it('rejects what it would have to pile up, and takes more when there is room', async () => {
    const { publisher, hold, letGo } = open();
    hold();
    const bytes = PUBLISH_REQUEST_BYTES_MAX;
    const calls: Promise<unknown>[] = [];
    for (let held = 0; held + bytes <= PUBLISH_HELD_BYTES_MAX; held += bytes)
      calls.push(publisher.publish(messages(1, bytes)));
    expect(await publisher.publish(messages(1, bytes)).catch(failed)).to.be.instanceOf(TopicUnavailable);
    letGo();
    await Promise.all(calls);
    await publisher.publish(messages(1, bytes));
  });

  it('fails a call that the server refuses, and none of those it was sent with', async () => {
    const { time, publisher } = open((sent) =>
      sent.some((one) => textOf(one) === 'wrong') ? status.INVALID_ARGUMENT : undefined,
    );
    const calls = ['a', 'wrong', 'b'].map((text) => publisher.publish([message(text)]).catch(failed));
    await time.pass(PUBLISH_LINGER_MS);
    const [a, wrong, b] = await Promise.all(calls);
    expect([a, b]).to.deep.equal([['id of a'], ['id of b']]);
    expect(wrong).to.be.instanceOf(TopicLimitExceeded);
  });

  it('says that the topic is unavailable whatever else goes wrong, and goes on', async () => {
    let code: status | undefined;
    const { time, publisher } = open(() => code);
    for (code of [
      status.NOT_FOUND,
      status.PERMISSION_DENIED,
      status.RESOURCE_EXHAUSTED,
      status.UNAVAILABLE,
    ]) {
      const call = publisher.publish([message('a')]).catch(failed);
      await time.pass(PUBLISH_LINGER_MS);
      expect(await call)
        .to.be.instanceOf(TopicUnavailable)
        .and.to.have.nested.property('cause.code', code);
    }
    code = undefined;
    const call = publisher.publish([message('a')]);
    await time.pass(PUBLISH_LINGER_MS);
    expect(await call).to.deep.equal(['id of a']);
  });

  it('refuses what the server never takes before it is sent', async () => {
    const { publisher, sizes } = open();
    for (const wrong of [
      { data: new Uint8Array(10_000_001) },
      { data: new Uint8Array(0) },
      { data: new Uint8Array(0), attributes: {} },
      { data: new Uint8Array(1), attributes: { ['k'.repeat(257)]: 'v' } },
    ])
      expect(await publisher.publish([wrong]).catch(failed)).to.be.instanceOf(TopicLimitExceeded);
    expect(sizes()).to.deep.equal([]);
  });

  it('sends what it has taken before it closes, without waiting for company, and takes nothing after', async () => {
    const { publisher, hold, letGo, sizes } = open();
    hold();
    const call = publisher.publish([message('a')]);
    let isClosed = false;
    const closing = publisher.close().then(() => (isClosed = true));
    expect(sizes()).to.deep.equal([1]);
    expect(isClosed).to.equal(false);
    letGo();
    await closing;
    expect(await call).to.deep.equal(['id of a']);
    expect(await publisher.publish([message('b')]).catch(failed)).to.be.instanceOf(TopicUnavailable);
  });
});
