import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from '#domain/metering/identity.ts';
import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import { flinkJars } from '#infra/engines/flink/flink-jars.ts';
import { prismBinary } from '#infra/engines/prism/prism-binary.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import type { Message } from '#infra/topic/topic.ts';
import { event } from '#infra/usage/tables.ts';
import { usePrepared } from '#test/support/engines.ts';
import { eventually } from '#test/support/eventually.ts';
import { inLocalDirectory, NAMESPACE, openStores } from '#test/support/local-stores.ts';
import { startPortable, type PortableProcess } from '#test/support/portable-process.ts';

const SOURCE = 'urn:svc:chat';
const BATCH = 25;
/** Between two batches, so that some 500 messages a second are under way all the while. */
const BATCH_EVERY_MS = 50;
/** When so many are committed the job is told to stop. */
const SEEN_BEFORE_STOP = 500;
const PULL_MESSAGES = 1_000;

const suites: readonly {
  readonly runner: string;
  readonly prepare: (settings: EmulatorSettings) => Promise<unknown>;
}[] = [
  { runner: 'prism', prepare: prismBinary },
  { runner: 'flink', prepare: flinkJars },
];

for (const { runner, prepare } of suites)
  describe(`npm run pipeline on ${runner}, told to stop in the middle of a load`, () => {
    usePrepared(prepare);

    it('has committed and acknowledged everything that it had pulled: what is left was never delivered', () =>
      inLocalDirectory(async (directory, { defer }) => {
        const stores = await openStores(directory);
        defer(() => stores.close());
        const pipeline = startPortable(['--runner', runner, '--readers', '2'], {
          MILLRACE_BACKEND: 'embedded',
          MILLRACE_DATA_DIR: directory,
        });
        defer(() => pipeline.kill());
        const [published] = await Promise.all([
          publishUntilItEnds(stores, pipeline),
          stopWhenItWorks(stores, pipeline),
        ]);
        expect(pipeline.explain()).to.include(': drained in ');
        const left = await pullAll(stores);
        expect(left.filter(({ attempt }) => attempt > 1)).to.deep.equal([]);
        const leftIds = new Set(left.map(idOf));
        expect(await notCommitted(stores, published)).to.deep.equal(
          published.filter((id) => leftIds.has(id)),
        );
      }));
  });

async function stopWhenItWorks(stores: LocalStores, pipeline: PortableProcess): Promise<void> {
  const first = Array.from({ length: SEEN_BEFORE_STOP }, (_, i) => idOfNumber(i));
  await eventually('the job commits', async () => (await notCommitted(stores, first)).length === 0, {
    explain: () => pipeline.explain(),
  });
  expect(await pipeline.stop(), pipeline.explain()).to.deep.equal({ code: 0, signal: null });
}

const idOfNumber = (number: number): string => `e-${number}`;
const idOf = ({ data }: Message): string =>
  (JSON.parse(Buffer.from(data).toString()) as { readonly id: string }).id;

/** Resolves with the ids of what was published. */
async function publishUntilItEnds({ topic }: LocalStores, pipeline: PortableProcess): Promise<string[]> {
  const published: string[] = [];
  while (!pipeline.hasExited()) {
    const ids = Array.from({ length: BATCH }, (_, i) => idOfNumber(published.length + i));
    const texts = ids.map((id) =>
      JSON.stringify({ specversion: '1.0', id, source: SOURCE, type: 'use', subject: `s-${id.slice(-1)}` }),
    );
    await topic.publish(texts.map((text) => ({ data: Buffer.from(text) })));
    published.push(...ids);
    await sleep(BATCH_EVERY_MS);
  }
  return published;
}

async function notCommitted({ database }: LocalStores, ids: readonly string[]): Promise<string[]> {
  const rows = await database.read(
    event,
    ids.map((id) => [identityOf(NAMESPACE, SOURCE, id)]),
  );
  return ids.filter((_, i) => rows[i] === undefined);
}

/** At once: a message that somebody still has a lease of does not come. */
async function pullAll({ topic }: LocalStores): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const messages = await topic.pull(PULL_MESSAGES);
    if (messages.length === 0) return all;
    all.push(...messages);
  }
}
