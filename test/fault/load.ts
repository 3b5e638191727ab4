import { expect } from 'chai';
import { fromHex } from '#domain/metering/hash128.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { deadLetter, event } from '#infra/usage/tables.ts';
import { eventually } from '#test/support/eventually.ts';
import { drained, openStores, saveMeters, type Cleanup } from '#test/support/local-stores.ts';
import { startPipeline, type PipelineProcess } from '#test/support/pipeline-process.ts';
import { startProducer, type ProducerProcess } from '#test/support/producer-process.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import { planUsage, type Plan, type PlanOptions } from '#test/support/reference-plan.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';
import { expectAgreement, rowsOf } from './agreement.ts';
import { inBatches } from './batches.ts';

const PARTS = { before: 0, during: 1, after: 2 } as const;
export type Part = keyof typeof PARTS;

export interface LoadOptions extends PlanOptions {
  /** Changes what was made of the stores before anything runs on them. */
  readonly prepare?: () => void;
}

/** A pipeline and a producer as processes, and a plan in three parts, for a fault to happen in the middle of. */
export interface Load {
  readonly stores: LocalStores;
  readonly producer: ProducerProcess;
  readonly plan: Plan;
  /** The pipeline that runs; after `start` another one. */
  pipeline(): PipelineProcess;
  start(): PipelineProcess;
  /** Resolves once the part is durable in the topic. */
  publish(part: Part): Promise<void>;
  /** Resolves once every event of the parts is stored. */
  committed(...parts: readonly Part[]): Promise<void>;
  /** Waits until all is acknowledged, stops the pipeline, and expects that everything agrees. */
  finish(rejected?: ReadonlySet<string>): Promise<void>;
}

export async function startLoad(
  directory: string,
  cleanup: Cleanup,
  { draw, options }: { draw: SeededRandom; options: LoadOptions },
): Promise<Load> {
  const stores = await openStores(directory);
  cleanup.defer(() => stores.close());
  await saveMeters(stores, REFERENCE_METERS);
  options.prepare?.();
  const producer = startProducer(directory);
  cleanup.defer(() => producer.kill());
  const plan = planUsage(draw, systemScheduler.now(), options);
  const size = Math.ceil(plan.messages.length / 3);
  const messagesOf = (part: Part) => plan.messages.slice(PARTS[part] * size, (PARTS[part] + 1) * size);
  let started = 0;
  const create = (): PipelineProcess => {
    const pipeline = startPipeline({ directory, worker: `worker-${started++}` });
    cleanup.defer(() => pipeline.kill());
    return pipeline;
  };
  let current = create();
  return {
    stores,
    producer,
    plan,
    pipeline: () => current,
    start: () => (current = create()),
    publish: async (part) => void (await producer.publish(inBatches(draw, messagesOf(part)))),
    committed: async (...parts) => {
      const identities = parts.flatMap((part) => messagesOf(part).flatMap(({ identity = [] }) => identity));
      await eventually(
        `everything published ${parts.join(' and ')} the fault is committed`,
        () => areStored(stores, identities),
        { explain: () => current.errorText() },
      );
    },
    finish: async (rejected) => {
      await drained(stores, () => current.errorText());
      expect(await current.stop(), current.errorText()).to.deep.equal({ code: 0, signal: null });
      await expectAgreement(stores, plan, rejected);
    },
  };
}

async function areStored({ database }: LocalStores, identities: readonly string[]): Promise<boolean> {
  const rows = await database.read(
    event,
    identities.map((identity) => [fromHex(identity)]),
  );
  return rows.every((row) => row !== undefined);
}

/** A failing store is no reason to refuse an event: the only dead letters are those of the plan's own bad messages. */
export async function expectNoneRejected({ database }: LocalStores): Promise<void> {
  const letters = await rowsOf(database, deadLetter);
  expect(letters.filter(({ reason }) => reason === 'rejected_by_store')).to.deep.equal([]);
}
