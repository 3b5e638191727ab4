import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { flinkJarsWithExpansion } from '#infra/engines/flink/flink-jars.ts';
import { newestCheckpoint } from '#infra/engines/flink/kept-checkpoints.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { ESTIMATE_MS } from '#pipelines/portable/markers.ts';
import { cloudEnvironment } from '#test/support/cloud-stores.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { usePrepared } from '#test/support/engines.ts';
import { eventually } from '#test/support/eventually.ts';
import { planUsage, type Plan } from '#test/support/reference-plan.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { killEngine } from './portable-faults.ts';
import { isRunning, openBench, runScenario, tell, untilPassed, type Bench } from './portable-run.ts';
import { storedThrough } from './stored-through.ts';

const EVENTS = 1_500;
const SEED = 23;
const SUITE_MS = 900_000;
/** Beyond a deadline and two minutes, by what other programs on the machine may take. */
const RECORD_MS_MAX = 400_000;
const LOOK_EVERY_MS = 250;

describe('the usage job on Flink, where Java reads Pub/Sub', function () {
  this.timeout(SUITE_MS);
  const emulators = useEmulators();
  usePrepared(flinkJarsWithExpansion);
  let bench: Bench;
  let plan: Plan;
  let restarted: { readonly at: Instant; readonly through: Instant };

  before('stores and pipeline', async () => {
    plan = planUsage(seededRandom(SEED), systemScheduler.now(), { events: EVENTS });
    bench = await openBench(cloudEnvironment(emulators), (folder) => [
      ...['--runner', 'flink', '--read', 'java', '--checkpoint', '1s', '--folder', folder],
    ]);
    await bench.startNext().until('the job runs', isRunning);
  });
  after('pipeline and stores', () => bench?.close());

  const half = () => Math.ceil(plan.messages.length / 2);

  it('commits everything that is published, without a worker in Java', async () => {
    tell(await runScenario(bench, plan.messages.slice(0, half()), undefined));
    expect(await bench.pipeline().below('FnHarness')).to.deep.equal([]);
    expect(await bench.pipeline().below('ExpansionService'), 'of use when a job is submitted').to.deep.equal(
      [],
    );
  });

  it('goes on from the last checkpoint when Flink is killed', async () => {
    const kill = killEngine('FlinkJobServerDriver');
    tell(
      await runScenario(bench, plan.messages.slice(half()), async (run) => {
        await kill(run);
        restarted = { at: systemScheduler.now(), through: await storedThrough(bench.stores.database) };
      }),
    );
    expect(bench.pipeline().status()?.restarts).to.equal(1);
  });

  it('records nothing for a deadline and a minute after that, and then by its markers that everything is committed', async () => {
    const { stores, pipeline } = bench;
    const hasRecorded = async (): Promise<boolean> => {
      await sleep(LOOK_EVERY_MS);
      return (await storedThrough(stores.database)) > restarted.through;
    };
    await eventually('a record', hasRecorded, {
      patienceMs: RECORD_MS_MAX,
      explain: () => pipeline().explain(),
    });
    expect((systemScheduler.now() - restarted.at) / MICROS_PER_MILLI).to.be.above(ESTIMATE_MS);
    await untilPassed(bench);
  });

  it('keeps its checkpoint when it is stopped, for the next to go on from', async () => {
    const { pipeline, folder } = bench;
    expect(await pipeline().stop(), pipeline().explain()).to.deep.equal({ code: 0, signal: null });
    expect(await newestCheckpoint(join(folder(), 'checkpoints'))).to.not.equal(undefined);
  });
});
