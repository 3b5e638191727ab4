import { expect } from 'chai';
import fc from 'fast-check';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { fromWire, setCoder, toWire, withCoder } from '#pipelines/beam/wire-coder.ts';
import { ParseMessages } from '#pipelines/usage/parse-messages.ts';
import '#pipelines/usage/stages.ts';
import { deliveriesCoder, deliveryCoder, messageCoder } from '#pipelines/usage/wire-coders.ts';
import type { Message } from '#infra/topic/topic.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('\ud800'));
const name = fc.oneof(text, fc.constant('__proto__'));
const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data));
const hash = fc
  .array(fc.nat(255), { minLength: 16, maxLength: 16 })
  .map((codes) => String.fromCharCode(...codes));

const messages = fc.record({
  id: text,
  data: bytes,
  attributes: fc
    .array(fc.tuple(name, text))
    .map((pairs): Record<string, string> => Object.fromEntries(pairs)),
  publishTime: fc.maxSafeInteger(),
  attempt: fc.nat(),
  ackId: text,
});
const delivered = { message: messages, namespace: text, replays: fc.record({ feed: text, messageId: text }) };
const known = fc.record({
  id: fc.option(text),
  source: fc.option(text),
  type: fc.option(text),
  subject: fc.option(text),
});
const events = fc.record({
  namespace: text,
  identity: hash,
  digest: hash,
  id: text,
  source: text,
  type: text,
  subject: text,
  sentTime: fc.option(text),
  time: fc.maxSafeInteger(),
  data: text,
  attributes: fc.option(text),
  publishTime: fc.maxSafeInteger(),
});
const deliveries = fc.oneof(
  fc.record({ ...delivered, event: events }, { requiredKeys: ['message', 'namespace', 'event'] }),
  fc.record(
    { ...delivered, refusal: fc.record({ reason: fc.constant('too_old' as const), detail: text }), known },
    { requiredKeys: ['message', 'namespace', 'refusal', 'known'] },
  ),
);

const RULE = { kind: 'attribute', strays: 'acme' } as const;

const messageOf = (body: string, attributes: Record<string, string> = {}): Message => ({
  ...{ id: '1', data: Buffer.from(body), attributes: { 'millrace-namespace': 'acme', ...attributes } },
  ...{ publishTime: Date.now() * 1_000, attempt: 1, ackId: 'a' },
});

describe('the coders of the usage graph', () => {
  it('carry every message as it was', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(fromWire(messageCoder, toWire(messageCoder, message))).to.deep.equal(message);
      }),
    );
  });

  it('carry every delivery as it was, of an event or of a refusal', () => {
    fc.assert(
      fc.property(deliveries, (delivery) => {
        expect(fromWire(deliveryCoder, toWire(deliveryCoder, delivery))).to.deep.equal(delivery);
      }),
    );
  });

  it('carry any number of deliveries as one element', () => {
    fc.assert(
      fc.property(fc.array(deliveries, { maxLength: 5 }), (some) => {
        expect(fromWire(deliveriesCoder, toWire(deliveriesCoder, some))).to.deep.equal(some);
      }),
    );
  });

  it('refuse a delivery that is cut off anywhere', () => {
    const wire = toWire(deliveryCoder, parseDelivery(RULE, messageOf('not JSON')));
    for (let length = 0; length < wire.length; length++)
      expect(() => fromWire(deliveryCoder, wire.subarray(0, length))).to.throw(RangeError);
  });

  it('let a real worker parse what comes over the wire as this process does', async () => {
    const event = { specversion: '1.0', id: 'e', source: 's', type: 't', subject: 'ö', data: { n: 1.5 } };
    const all = [
      messageOf(JSON.stringify(event)),
      messageOf(JSON.stringify({ ...event, time: '1970-01-01T00:00:00Z' })),
      messageOf('not JSON', { 'ce-x': '\ud83d\ude00' }),
    ];
    const runner = await startFnApiRunner({ modules: ['millrace/pipelines/usage/stages'] });
    try {
      const build = (source: PCollection<Message>): PCollection<unknown> => {
        setCoder(source, messageCoder);
        return apply('parse', source, withCoder(syncParDo(new ParseMessages(RULE)), deliveryCoder));
      };
      const { outputs } = await runner.run(runner.stage(build), all, 2);
      expect(outputs).to.deep.equal(all.map((message) => parseDelivery(RULE, message)));
    } finally {
      await runner.close();
    }
  });
});
