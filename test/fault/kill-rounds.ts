import { dirname } from 'node:path';
import { expect } from 'chai';
import type { Instant } from '#domain/instant.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import { localPaths, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { event } from '#infra/usage/tables.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import { drained, NAMESPACE, openStores, saveMeters, type Cleanup } from '#test/support/local-stores.ts';
import { startPipeline, type PipelineProcess } from '#test/support/pipeline-process.ts';
import { startProducer, type ProducerProcess } from '#test/support/producer-process.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import { planUsage, type PlannedMessage } from '#test/support/reference-plan.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';
import { expectAgreement } from './agreement.ts';
import { inBatches } from './batches.ts';
import { changesIn } from './changes.ts';

export interface KillRounds {
  readonly kills: number;
  readonly eventsPerKill: number;
  /** Pipeline processes at once; after each kill another takes the place of the dead one. */
  readonly pipelines: number;
}

/** How often a process is killed while it still starts, where it opens, recovers and prepares its stores. */
const KILL_AT_START_CHANCE = 0.15;
/** The file writes that are waited for before a kill: about as many as a few bundles make in each store. */
const CHANGES_MAX = { database: 24, topic: 24, warehouse: 4 } as const;
/** A process that writes nothing where it is watched is killed after so many reports all the same. */
const REPORTS_MAX = 6;

interface Run {
  readonly directory: string;
  readonly stores: LocalStores;
  readonly producer: ProducerProcess;
  readonly draw: SeededRandom;
  readonly cleanup: Cleanup;
  readonly running: PipelineProcess[];
  started: number;
}

/** What the producer was told is durable, and when that was. */
interface Durable {
  readonly by: Instant;
  readonly messages: readonly PlannedMessage[];
}

/**
 * Publishes a plan, a portion a round, and kills a pipeline process in each, at the n-th write to the files of one store: so kills fall
 * between any two steps of commit, append and acknowledgement. After each kill the watermark must be true; at the end all must agree.
 */
export async function runKillRounds(
  directory: string,
  cleanup: Cleanup,
  { draw, rounds }: { draw: SeededRandom; rounds: KillRounds },
): Promise<void> {
  const stores = await openStores(directory);
  cleanup.defer(() => stores.close());
  await saveMeters(stores, REFERENCE_METERS);
  const producer = startProducer(directory);
  cleanup.defer(() => producer.kill());
  const run: Run = { directory, stores, producer, draw, cleanup, running: [], started: 0 };
  const plan = planUsage(draw, systemScheduler.now(), { events: rounds.kills * rounds.eventsPerKill });
  const portionSize = Math.ceil(plan.messages.length / rounds.kills);
  const durable: Durable[] = [];
  for (let round = 0; round < rounds.kills; round++) {
    fill(run, rounds.pipelines);
    const messages = plan.messages.slice(round * portionSize, (round + 1) * portionSize);
    const by = await killWhilePublishing(run, messages);
    durable.push({ by, messages });
    await expectTrueWatermark(stores, durable);
  }
  fill(run, rounds.pipelines);
  // One that has not begun could not yet be asked to stop, and the other may have done all the work by itself.
  await Promise.all(run.running.map(({ ready }) => ready));
  await drained(stores, () => run.running.map((pipeline) => pipeline.errorText()).join('\n'));
  for (const pipeline of run.running) {
    expect(await pipeline.stop(), pipeline.errorText()).to.deep.equal({ code: 0, signal: null });
  }
  const freshness = await readFreshness(stores.database, NAMESPACE);
  expect(freshness?.asOf, 'the watermark stands at the end').to.be.at.least(durable.at(-1)?.by ?? 0);
  await expectAgreement(stores, plan);
}

function fill(run: Run, pipelines: number): void {
  while (run.running.length < pipelines) {
    const pipeline = startPipeline({ directory: run.directory, worker: `worker-${run.started++}` });
    run.cleanup.defer(() => pipeline.kill());
    run.running.push(pipeline);
  }
}

async function killWhilePublishing(run: Run, messages: readonly PlannedMessage[]): Promise<Instant> {
  const { draw, running, producer } = run;
  const atStart = draw.chance(KILL_AT_START_CHANCE);
  const victim = atStart ? running.at(-1)! : draw.pick(running);
  const store = draw.pick(['database', 'topic', 'warehouse'] as const);
  if (!atStart) await victim.ready;
  const paths = localPaths(run.directory);
  const place = store === 'database' ? dirname(paths.database) : paths[store];
  const changes = changesIn(place, 1 + draw.below(CHANGES_MAX[store]));
  try {
    const publishing = producer.publish(inBatches(draw, messages));
    await Promise.race([changes.seen, victim.reports(REPORTS_MAX)]);
    await victim.kill();
    running.splice(running.indexOf(victim), 1);
    return await publishing;
  } finally {
    changes.end();
  }
}

/** Everything published before the watermark is an event row or a dead letter: P never runs ahead of the commits. */
async function expectTrueWatermark({ database }: LocalStores, durable: readonly Durable[]): Promise<void> {
  const freshness = await readFreshness(database, NAMESPACE);
  if (freshness === undefined) return;
  const before = durable.filter(({ by }) => by + CLOCK_STEP_MICROS < freshness.asOf);
  const identities = before.flatMap(({ messages }) => messages.flatMap(({ identity = [] }) => identity));
  const rows = await database.read(
    event,
    identities.map((identity) => [fromHex(identity)]),
  );
  expect(
    identities.filter((_, i) => rows[i] === undefined),
    'published before P but not committed',
  ).to.deep.equal([]);
}

/** The clock of the programs counts in milliseconds, and publish times rise by microseconds within one. */
const CLOCK_STEP_MICROS = 2_000;
