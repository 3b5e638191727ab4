import { PubSub } from '@google-cloud/pubsub';
import { expect } from 'chai';
import { CloudEvent, HTTP } from 'cloudevents';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '#infra/emulators/cloud-sdk.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import type { PubsubTopic } from '#infra/topic/pubsub/open.ts';
import type { Message } from '#infra/topic/topic.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { commit, NAMESPACE, openStores, outcomesOf } from '#test/infra/usage/usage-fixture.ts';
import { skipSuite, useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { freshPubsub, PROJECT, type FreshPubsub } from './fresh-pubsub.ts';

const run = promisify(execFile);
const GO_MODULE = resolve(import.meta.dirname, '../../../interop/go');
/** From nothing: the modules are fetched and compiled. */
const BUILD_MS_MAX = 900_000;
const METERS = { uses: { name: 'Uses', eventType: 'llm.request', aggregation: 'count' } } as const;

/** An event as a producer has it; of just now, since age is judged by the publish time. All libraries write these digits of a time alike. */
const eventOf = (id: string) => ({
  specversion: '1.0',
  id,
  source: 'urn:svc:chat',
  type: 'llm.request',
  subject: 'Zürich/7 "öst" %41',
  time: `${new Date(Date.now() - 1_000).toISOString().slice(0, 'YYYY-MM-DDThh:mm:ss'.length)}.123Z`,
  datacontenttype: 'application/json',
  data: { tokens: 1200, model: 'm1', note: 'a "quoted\\" naïve one' },
});
type SentEvent = ReturnType<typeof eventOf>;

/** What the event is by the contract, from its text alone. */
function expectedOf(event: SentEvent): { identity: string; digest: string } {
  const bytes = Buffer.from(JSON.stringify(event));
  const parsed = parseEvent(NAMESPACE, { data: bytes, attributes: {}, publishTime: Date.now() * 1_000 });
  if (parsed.event === undefined) throw new Error(parsed.refusal.detail);
  return { identity: toHex(parsed.event.identity), digest: toHex(parsed.event.digest) };
}

async function pullAll(topic: PubsubTopic, count: number): Promise<Message[]> {
  const pulled: Message[] = [];
  await eventually(`${count} messages came`, async () => {
    pulled.push(...(await topic.pull(count)));
    return pulled.length >= count;
  });
  await topic.ack(pulled.map(({ ackId }) => ackId));
  return pulled;
}

/** Every message is the same event, and the event counts once. */
async function expectOneEvent(messages: readonly Message[], event: SentEvent): Promise<void> {
  const deliveries = messages.map((message) =>
    parseDelivery({ kind: 'fixed', namespace: NAMESPACE }, message),
  );
  for (const { message, event: parsed, ...rest } of deliveries) {
    const seen = parsed && { identity: toHex(parsed.identity), digest: toHex(parsed.digest) };
    const said = JSON.stringify([message.attributes, Buffer.from(message.data).toString(), rest]);
    expect(seen, said).to.deep.equal(expectedOf(event));
  }
  await expectCountedOnce(deliveries);
}

async function expectCountedOnce(deliveries: readonly Delivery[]): Promise<void> {
  const stores = await openStores(METERS);
  const duplicates = Array<string>(deliveries.length - 1).fill('duplicate');
  expect(outcomesOf(await commit(stores, deliveries))).to.deep.equal(['accepted', ...duplicates]);
}

describe('producers that others wrote', () => {
  const emulators = useEmulators(['pubsub']);
  let fresh: FreshPubsub;
  let topic: PubsubTopic;
  beforeEach(async () => {
    fresh = await freshPubsub(emulators.pubsubHost);
    topic = await fresh.open();
  });
  afterEach(() => fresh.dispose());

  describe('the binding of the cloudevents package and the stock client for Node', () => {
    let client: PubSub;
    beforeEach(() => {
      client = new PubSub({ projectId: PROJECT, apiEndpoint: emulators.pubsubHost, emulatorMode: true });
    });
    afterEach(() => client.close());

    it('publish one event in structured and in binary mode, plain and stamped, which counts once', async () => {
      const event = eventOf('node-1');
      const cloudEvent = new CloudEvent(event);
      const publisher = client.topic(fresh.topic);
      const messages = [HTTP.structured(cloudEvent), HTTP.binary(cloudEvent)];
      for (const { headers, body } of messages) {
        const data = Buffer.from(String(body));
        const attributes = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, String(value)]),
        );
        await publisher.publishMessage({ data, attributes });
        await publisher.publishMessage({ data, attributes: { ...attributes, timestamp: event.time } });
      }
      await publisher.publishMessage({ json: event });
      await publisher.publishMessage({ json: event, attributes: { googclient_schemaencoding: 'JSON' } });
      await expectOneEvent(await pullAll(topic, 6), event);
    });
  });

  describe('the CloudEvents SDK and the client of Google for Go', () => {
    let directory: string;
    let producer: string;
    before('build the producer', async function () {
      this.timeout(BUILD_MS_MAX);
      const go = onPath('go', process.env);
      if (go === undefined) skipSuite(this, 'there is no go to build the producer with');
      directory = await mkdtemp(join(tmpdir(), 'millrace-producer-'));
      producer = join(directory, 'producer');
      const inModule = {
        cwd: GO_MODULE,
        env: { ...process.env, GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' },
      };
      try {
        await run(go, ['mod', 'download'], inModule);
      } catch (error) {
        skipSuite(this, `the modules of the producer cannot be had: ${firstLine(error)}`);
      }
      await run(go, ['build', '-trimpath', '-o', producer, '.'], inModule);
    });
    after(async () => {
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    });

    it('publish one event in structured and in binary mode, by the binding and by hand, which counts once', async () => {
      const event = eventOf('go-1');
      await run(producer, [PROJECT, fresh.topic, JSON.stringify(event)], {
        env: { ...process.env, PUBSUB_EMULATOR_HOST: emulators.pubsubHost },
      });
      const messages = await pullAll(topic, 3);
      const isBinary = ({ attributes }: Message): boolean => 'ce-specversion' in attributes;
      expect(messages.filter(isBinary)).to.have.length(2);
      await expectOneEvent(messages, event);
    });
  });
});

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
