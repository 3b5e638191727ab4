import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { fleetReceipt } from '#infra/fleet/tables.ts';
import { LOCAL_FEEDS, openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { event, watermark } from '#infra/usage/tables.ts';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { PCollection, WindowedValue } from '#pipelines/beam/sdk.ts';
import { splittableParDo } from '#pipelines/beam/splittable-do-fn.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { keyedCoder, withCoder } from '#pipelines/beam/wire-coder.ts';
import { CommitInWorker } from '#pipelines/portable/commit-in-worker.ts';
import { FromCommitShard, ToCommitShard } from '#pipelines/portable/commit-shards.ts';
import { PullMessages } from '#pipelines/portable/read-messages.ts';
import { ENVIRONMENT_WORKER } from '#pipelines/portable/worker-runtime.ts';
import { ParseMessages } from '#pipelines/usage/parse-messages.ts';
import '#pipelines/portable/stages.ts';
import '#pipelines/usage/stages.ts';
import { deliveriesCoder, messageCoder } from '#pipelines/usage/wire-coders.ts';
import { eventually } from '#test/support/eventually.ts';
import { startFnApiRunner, type Bundle, type FnApiRunner } from '#test/support/fn-api-harness.ts';
import { splittableStages } from '#test/support/splittable-stages.ts';

const EVENTS = 300;
/** A reader cannot have read all before it was told that some is acknowledged. */
const HELD_MESSAGES = 100;
const SHARDS = 4;
const FEED = LOCAL_FEEDS.usage;
const modules = ['millrace/pipelines/usage/stages', 'millrace/pipelines/portable/stages'];

type Shard = Keyed<readonly (readonly Delivery[])[]>;

/** What runs in the process that reads: up to what a runner shuffles. */
const reading = (readers: PCollection<never>): PCollection<unknown> => {
  const source = splittableParDo(new PullMessages(ENVIRONMENT_WORKER, FEED.feed));
  const messages = apply('pull', readers as PCollection<string>, withCoder(source, messageCoder));
  const deliveries = apply('parse', messages, syncParDo(new ParseMessages(FEED.rule)));
  return apply(
    'shard',
    deliveries,
    withCoder(syncParDo(new ToCommitShard(SHARDS)), keyedCoder(deliveriesCoder)),
  );
};

/** What runs in the process that commits: from what the runner has grouped. */
const committing = (shards: PCollection<never>): undefined => {
  const deliveries = apply('ungroup', shards as PCollection<Shard>, syncParDo(new FromCommitShard()));
  apply('commit', deliveries, asyncParDo(new CommitInWorker(ENVIRONMENT_WORKER, FEED.feed)));
  return undefined;
};

function groupsOf({ outputs }: Bundle): Shard[] {
  const groups = new Map<string, (readonly Delivery[])[]>();
  for (const { value } of outputs as WindowedValue<Keyed<readonly Delivery[]>>[]) {
    const group = groups.get(value.key) ?? [];
    groups.set(value.key, [...group, value.value]);
  }
  return [...groups].map(([key, value]) => ({ key, value }));
}

function leftOf({ response: { response } }: Bundle): Uint8Array[] {
  if (response.oneofKind !== 'processBundle') throw new Error('it is no answer of a bundle');
  return response.processBundle.residualRoots.map(
    ({ application }) => application?.element ?? new Uint8Array(),
  );
}

/** Stores below a directory that the environment names, so that worker processes find them as they do everywhere. */
async function inDirectory(work: (stores: LocalStores) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-portable-'));
  const variables = {
    ...{ MILLRACE_DATA_DIR: directory, MILLRACE_HELD_MESSAGES: String(HELD_MESSAGES) },
    MILLRACE_LOG_LEVEL: 'silent',
  };
  const before = { ...process.env };
  Object.assign(process.env, variables);
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  try {
    await work(stores);
  } finally {
    process.env = before;
    await stores.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const publish = (stores: LocalStores) =>
  stores.topic.publish(
    Array.from({ length: EVENTS }, (_, i) => {
      const text = {
        specversion: '1.0',
        id: `e-${i}`,
        source: 'urn:s',
        type: 'request',
        subject: `s-${i % 7}`,
      };
      return { data: Buffer.from(JSON.stringify(text)) };
    }),
  );

/** Round after round, each followed by the commit of what it brought, until everything is committed. */
async function runJob(reader: FnApiRunner, committer: FnApiRunner, stores: LocalStores): Promise<void> {
  const { pair, process: read } = splittableStages(reader, reading);
  const commit = committer.stage(committing);
  let left: readonly unknown[] = (await reader.run(pair, ['usage-0'])).outputs;
  await eventually('all is committed', async () => {
    const bundle = await reader.run(read, left);
    left = leftOf(bundle);
    const groups = groupsOf(bundle);
    if (groups.length > 0) await committer.run(commit, groups);
    return (await stores.topic.backlog()).messages === 0;
  });
}

describe('worker processes of a distributed runner', () => {
  it('count each event once, one reading and holding no more than its bound, the other committing and telling it so', () =>
    inDirectory(async (stores) => {
      const definition = { name: 'Requests', eventType: 'request', aggregation: 'count' } as const;
      await putMeter(stores.database, { namespace: 'default', key: 'requests', definition });
      await publish(stores);
      const [reader, committer] = [await startFnApiRunner({ modules }), await startFnApiRunner({ modules })];
      try {
        await runJob(reader, committer, stores);
        expect(await Array.fromAsync(stores.database.scan(event, { prefix: [] }))).to.have.length(EVENTS);
        await eventually('the watermark has passed all', async () => {
          const rows = await Array.fromAsync(stores.database.scan(watermark, { prefix: [FEED.feed] }));
          const { at } = await stores.topic
            .oldestUnacknowledged()
            .then((seen) => (seen === 'unknown' ? { at: 0 } : seen));
          return rows.some(({ committedThrough }) => at - committedThrough < 2_000_000);
        });
      } finally {
        await Promise.all([reader.close(), committer.close()]);
      }
      // The last ones may be told of what nobody holds any more: then they lie there until they expire.
      const receipts = await Array.fromAsync(stores.database.scan(fleetReceipt, { prefix: [] }));
      expect(receipts.length).to.be.below(EVENTS / HELD_MESSAGES + SHARDS);
    }));
});
