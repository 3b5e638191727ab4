import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { LOCAL_FEED, LOCAL_FEEDS, openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { deadLetter } from '#infra/usage/tables.ts';
import { buildGraph } from '#pipelines/beam/graph.ts';
import { assertPortable } from '#pipelines/beam/portability.ts';
import { buildUsageGraph } from '#pipelines/usage/graph.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';
import { DIRECTORY_VARIABLE, RUNTIME_NAME } from './worker-runtime.ts';

const { namespace } = LOCAL_FEED;
const EVENTS = 1_200;
const MESSAGES_PER_BUNDLE = 3;
const modules = ['millrace/pipelines/usage/stages', 'millrace/test/pipelines/usage/worker-runtime'];

const eventText = (id: number): string =>
  JSON.stringify({
    specversion: '1.0',
    id: `e-${id}`,
    source: 'urn:test',
    type: 'request',
    subject: 'acme',
    data: { tokens: id },
  });

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-worker-'));
  process.env[DIRECTORY_VARIABLE] = directory;
  try {
    await work(directory);
  } finally {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the variable must be gone for other tests
    delete process.env[DIRECTORY_VARIABLE];
    await rm(directory, { recursive: true, force: true });
  }
}

describe('the usage graph', () => {
  it('carries every function by name, so that any worker can load it', () => {
    const graph = buildGraph<never>((messages) =>
      buildUsageGraph(messages, { namespaces: LOCAL_FEEDS.usage.rule, runtimeName: RUNTIME_NAME }),
    );
    expect(() => assertPortable(graph.proto)).not.to.throw();
  });

  it('counts each event once in a worker process of its own, its bundles coming in several data messages', () =>
    inDirectory(async (directory) => {
      const stores = await openLocal({ directory, clock: systemScheduler.now });
      const definition = {
        name: 'Tokens',
        eventType: 'request',
        aggregation: 'sum',
        value: 'tokens',
      } as const;
      await putMeter(stores.database, { namespace, key: 'tokens', definition });
      const texts = Array.from({ length: EVENTS }, (_, id) => eventText(id));
      await stores.topic.publish(
        [...texts, ...texts.slice(0, 100), 'no event'].map((text) => ({ data: Buffer.from(text) })),
      );
      const runner = await startFnApiRunner({ modules });
      try {
        const stage = runner.stage((source) => {
          buildUsageGraph(source, { namespaces: LOCAL_FEEDS.usage.rule, runtimeName: RUNTIME_NAME });
          return undefined;
        });
        for (
          let messages = await stores.topic.pull(700);
          messages.length > 0;
          messages = await stores.topic.pull(700)
        ) {
          await runner.run(stage, messages, MESSAGES_PER_BUNDLE);
        }
      } finally {
        await runner.close();
      }
      const from = Math.floor(systemScheduler.now() / 86_400e6) * 86_400e6 - 86_400e6;
      const range = { from, to: from + 3 * 86_400e6, window: 'none', timezone: 'UTC' } as const;
      const { rows } = await readUsage(stores.database, {
        namespace,
        meter: 'tokens',
        subjects: ['acme'],
        ...range,
      });
      expect(rows.map(({ value }) => value)).to.deep.equal([String((EVENTS * (EVENTS - 1)) / 2)]);
      const refused = await Array.fromAsync(stores.database.scan(deadLetter, { prefix: [] }));
      expect(refused.map(({ reason, bytes }) => [reason, Buffer.from(bytes).toString()])).to.deep.equal([
        ['malformed_json', 'no event'],
      ]);
      expect((await stores.topic.backlog()).messages).to.equal(0);
      await stores.close();
    }));
});
