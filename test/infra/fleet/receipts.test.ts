import { expect } from 'chai';
import { carriedAckId } from '#infra/fleet/carried-ack-id.ts';
import { createHolder, DEFAULT_HELD_BOUNDS, type Holder } from '#infra/fleet/holder.ts';
import {
  acknowledgeCarried,
  createReceipts,
  RECEIPT_ORDINALS_MAX,
  RECEIPTS_WAITING_MAX,
  takeReceipts,
} from '#infra/fleet/receipts.ts';
import { fleetReceipt, FLEET_TABLES } from '#infra/fleet/tables.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile, type HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { StoreError } from '#infra/database/errors.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import { simulate, simulateSeeds, type Simulation } from '#test/support/simulation.ts';

const SUBSCRIPTION = 's';
const MESSAGES = 40;
const SEEDS = 60;
const READER = 'usage-0';

function openWorld(sim: Simulation, faults = noFaults) {
  const database = openHostile({ tables: FLEET_TABLES, schedule: sim, faults });
  const topic = openHostileTopic({ schedule: sim, faults: noTopicFaults, ackDeadlineSeconds: 600 });
  const scheduler = { now: sim.now, sleep: (ms: number) => sim.sleep(ms * 1_000) };
  const holder = createHolder({
    ...{ id: 'holder', topic: topic.open(SUBSCRIPTION), ackDeadlineSeconds: 600, scheduler },
    bounds: DEFAULT_HELD_BOUNDS,
  });
  holder.reads(READER);
  return { database, topic, holder };
}

const receiptsOf = (sim: Simulation, database: HostileDatabase, writer: string, here?: Holder) =>
  createReceipts({
    ...{ database, writer, clock: sim.now },
    holderHere: (id) => (id === here?.id ? here : undefined),
  });

/** As an errand: what fails is done again later. */
async function insist(sim: Simulation, act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await sim.sleep(1_000);
    }
  }
}

describe('receipts', () => {
  it('reach the holder whatever the database does, each once, and leave no row', () =>
    simulateSeeds(SEEDS, async (sim) => {
      const { database, topic, holder } = openWorld(sim, commonFaults);
      const producer = topic.open(SUBSCRIPTION);
      await producer.publish(Array.from({ length: MESSAGES }, (_, i) => ({ data: Uint8Array.of(i) })));
      const messages = await holder.pull(READER, MESSAGES);
      const sinks = ['one', 'two'].map((writer) => {
        const receipts = receiptsOf(sim, database, writer);
        return { receipts, topic: acknowledgeCarried(topic.open(SUBSCRIPTION), receipts) };
      });
      const kept = messages.pop();
      for (const { ackId } of messages) {
        const sink = sim.draw.pick(sinks);
        await sink.topic.ack([ackId]);
        // A bundle that is run again acknowledges again, here or elsewhere.
        if (sim.draw.chance(0.3)) await sim.draw.pick(sinks).topic.ack([ackId]);
        if (sim.draw.chance(0.2)) await insist(sim, () => sink.receipts.store());
        if (sim.draw.chance(0.2)) await takeReceipts(database, holder).catch(() => undefined);
      }
      for (const { receipts } of sinks) await insist(sim, () => receipts.store());
      await insist(sim, () => takeReceipts(database, holder));
      expect(holder.held().messages).to.equal(1);
      expect(database.rows(fleetReceipt)).to.deep.equal([]);
      expect(kept).to.not.equal(undefined);
      const open = topic.fates(SUBSCRIPTION).filter(({ acknowledged }) => !acknowledged);
      expect(open.map(({ id }) => id)).to.deep.equal([kept?.id]);
    }));

  it('take no row where holder and sink are one process', () =>
    simulate(1, async (sim) => {
      const { database, topic, holder } = openWorld(sim);
      await topic.open(SUBSCRIPTION).publish([{ data: new Uint8Array(1) }]);
      const [message] = await holder.pull(READER, 1);
      const receipts = receiptsOf(sim, database, 'one', holder);
      await acknowledgeCarried(topic.open(SUBSCRIPTION), receipts).ack([message?.ackId ?? '']);
      await receipts.store();
      expect([holder.held().messages, database.rows(fleetReceipt).length]).to.deep.equal([0, 0]);
    }));

  it('are not given for what the topic did not take', () =>
    simulate(1, async (sim) => {
      const { database, topic, holder } = openWorld(sim);
      await topic.open(SUBSCRIPTION).publish([{ data: new Uint8Array(1) }]);
      const [message] = await holder.pull(READER, 1);
      const receipts = receiptsOf(sim, database, 'one', holder);
      topic.failFor(1_000_000);
      const acknowledging = acknowledgeCarried(topic.open(SUBSCRIPTION), receipts).ack([
        message?.ackId ?? '',
      ]);
      expect(await acknowledging.catch(() => 'failed')).to.equal('failed');
      expect(holder.held().messages).to.equal(1);
    }));

  it('go in rows of a bounded size, and are dropped where too many wait: their holders give up by themselves', () =>
    simulate(1, async (sim) => {
      const { database } = openWorld(sim);
      let dropped = 0;
      const receipts = createReceipts({
        ...{ database, writer: 'one', clock: sim.now, holderHere: () => undefined },
        onDropped: (ordinals) => (dropped += ordinals),
      });
      const acknowledge = (holder: string, count: number): void =>
        receipts.acknowledged(
          Array.from({ length: count }, (_, ordinal) => ({ holder, ordinal, ackId: '' })),
        );
      acknowledge('old', RECEIPTS_WAITING_MAX);
      acknowledge('new', RECEIPT_ORDINALS_MAX + 1);
      expect(dropped).to.equal(RECEIPTS_WAITING_MAX);
      await receipts.store();
      expect(database.rows(fleetReceipt).map(({ holder }) => holder)).to.deep.equal(['new', 'new']);
    }));

  it('that cannot be read are removed, and the others count', () =>
    simulate(1, async (sim) => {
      const { database, topic, holder } = openWorld(sim);
      await topic.open(SUBSCRIPTION).publish([{ data: new Uint8Array(1) }]);
      await holder.pull(READER, 1);
      const row = { holder: holder.id, writer: 'one', sequence: 1, storedAt: sim.now() };
      await database.transact(async (tx) =>
        tx.insert(fleetReceipt, { ...row, ordinals: Uint8Array.of(255) }),
      );
      const receipts = receiptsOf(sim, database, 'two');
      receipts.acknowledged([{ holder: holder.id, ordinal: 0, ackId: '' }]);
      await receipts.store();
      await takeReceipts(database, holder);
      expect([holder.held().messages, database.rows(fleetReceipt).length]).to.deep.equal([0, 0]);
    }));

  it('are carried by ids that no topic takes for its own', () =>
    simulate(1, async (sim) => {
      const { database, topic } = openWorld(sim);
      const receipts = receiptsOf(sim, database, 'one');
      const sink = acknowledgeCarried(topic.open(SUBSCRIPTION), receipts);
      expect(await sink.ack(['a1']).catch((error: unknown) => error)).to.be.instanceOf(RangeError);
      const foreign = carriedAckId({ holder: 'h', ordinal: 1, ackId: 'unknown' });
      expect(await sink.ack([foreign]).catch((error: unknown) => error)).to.be.instanceOf(RangeError);
    }));
});
