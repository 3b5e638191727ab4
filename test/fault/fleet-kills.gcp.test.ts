import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Instant } from '#domain/instant.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { CloudStores } from '#infra/cloud/open-cloud.ts';
import { livingWorkers } from '#infra/fleet/slots.ts';
import { fleetWorker, workerClaim } from '#infra/fleet/tables.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { event } from '#infra/usage/tables.ts';
import { cloudEnvironment, openCloudStores } from '#test/support/cloud-stores.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import { planUsage, type PlannedMessage } from '#test/support/reference-plan.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { startWorker, type WorkerProcess } from '#test/support/worker-process.ts';
import { expectAgreement, rowsOf } from './agreement.ts';
import { inBatches } from './batches.ts';
import { storedThrough } from './stored-through.ts';

const EVENTS = 900;
const PORTIONS = 6;
/** The portions in which a worker is killed, and the one in which another release takes over. */
const KILLS = [1, 2];
const UPGRADE = 3;
/** A claim of a dead worker counts for some deadlines, and everything on these machines takes its time. */
const PATIENCE_MS = 240_000;

/** What the topic has, and when it had it. */
interface Durable {
  readonly by: Instant;
  readonly messages: readonly PlannedMessage[];
}

async function publish({ feeds }: CloudStores, batches: readonly (readonly string[])[]): Promise<void> {
  const topic = feeds.find(({ feed }) => feed === 'usage')!.topic;
  for (const batch of batches) await topic.publish(batch.map((text) => ({ data: Buffer.from(text) })));
}

/** Everything published before the watermark is an event row: P never runs ahead of the commits, whoever is killed. */
async function expectTrueWatermark({ database }: CloudStores, durable: readonly Durable[]): Promise<void> {
  const through = await storedThrough(database);
  const before = durable.filter(({ by }) => by < through);
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

describe('a fleet of workers on the emulators', function () {
  this.timeout(600_000);
  const emulators = useEmulators();
  const workers = new Set<WorkerProcess>();
  let environment: Record<string, string>;
  let stores: CloudStores;

  const start = (release: string): WorkerProcess => {
    const worker = startWorker({
      ...environment,
      MILLRACE_RELEASE: release,
      MILLRACE_BATCH_MESSAGES: '60',
      MILLRACE_DRAIN_SECONDS: '60',
    });
    workers.add(worker);
    return worker;
  };

  before('stores', async () => {
    environment = cloudEnvironment(emulators);
    stores = await openCloudStores(environment);
    for (const [key, definition] of Object.entries(REFERENCE_METERS))
      await putMeter(stores.database, { namespace: NAMESPACE, key, definition });
  });
  after('workers and stores', async () => {
    await Promise.all([...workers].map((worker) => worker.kill()));
    await stores?.close();
  });

  it('counts everything once while workers are killed, drained and replaced by another release, with a watermark that is never ahead', async () => {
    const draw = seededRandom(7);
    const plan = planUsage(draw, systemScheduler.now(), { events: EVENTS });
    const size = Math.ceil(plan.messages.length / PORTIONS);
    const durable: Durable[] = [];
    const running = [start('one'), start('one')];
    await Promise.all(running.map(({ ready }) => ready));
    for (let portion = 0; portion < PORTIONS; portion++) {
      const messages = plan.messages.slice(portion * size, (portion + 1) * size);
      await publish(stores, inBatches(draw, messages));
      durable.push({ by: systemScheduler.now(), messages });
      const [victim] = running;
      if (KILLS.includes(portion)) {
        await eventually('the victim has committed something', () => victim!.counters().commits_total > 0, {
          explain: victim!.errorText,
        });
        await victim!.kill();
        running.shift();
        running.push(start('one'));
      }
      // An upgrade: the new release starts, and beside it the old one drains.
      if (portion === UPGRADE) {
        const old = running.splice(0);
        running.push(start('two'), start('two'));
        await Promise.all(running.map(({ ready }) => ready));
        const releases = (await rowsOf(stores.database, fleetWorker)).map(({ release }) => release);
        expect(new Set(releases)).to.deep.equal(new Set(['one', 'two']));
        await Promise.all(old.map(({ ready }) => ready));
        for (const worker of old)
          expect(await worker.stop(), worker.errorText()).to.deep.equal({ code: 0, signal: null });
      }
      await expectTrueWatermark(stores, durable);
    }
    const last = durable.at(-1)!.by;
    const explain = (): string => running.map((worker) => worker.errorText()).join('\n');
    for (let passed = 0; passed <= last;) {
      await expectTrueWatermark(stores, durable);
      await eventually(
        'the watermark moves',
        async () => {
          await sleep(500);
          return (await storedThrough(stores.database)) !== passed;
        },
        { patienceMs: PATIENCE_MS, explain },
      );
      passed = await storedThrough(stores.database);
    }
    await expectAgreement(stores, plan);
    for (const worker of running)
      expect(await worker.stop(), worker.errorText()).to.deep.equal({ code: 0, signal: null });
    const left = await rowsOf(stores.database, fleetWorker);
    expect(left.length, 'a worker that has drained leaves no row, one that was killed does').to.equal(
      KILLS.length,
    );
    const claims = await rowsOf(stores.database, workerClaim);
    expect(
      claims.filter(({ claimedAt }) => claimedAt < last),
      'claims of the dead',
    ).to.deep.equal([]);
  });

  it('has each worker say how it does, and give its slot to the next', async () => {
    const [first, second] = [start('one'), start('one')];
    await Promise.all([first.ready, second.ready]);
    const slots = async (): Promise<readonly number[]> =>
      (await livingWorkers(stores.database, systemScheduler.now())).map(({ slot }) => slot).sort();
    expect(await slots()).to.deep.equal([0, 1]);
    expect((await first.ask('/healthz')).status).to.equal(200);
    expect((await first.ask('/readyz')).status).to.equal(200);
    const { text } = await first.ask('/metrics');
    for (const name of [
      'feed_backlog_messages',
      'feed_oldest_unacknowledged_seconds',
      'fleet_wanted_workers',
    ])
      expect(text).to.include(`millrace_${name}`);
    expect(text).to.match(/millrace_fleet_workers 2/);
    expect(await first.stop()).to.deep.equal({ code: 0, signal: null });
    const third = start('one');
    await third.ready;
    expect(await slots()).to.deep.equal([0, 1]);
  });
});
