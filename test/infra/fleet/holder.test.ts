import { expect } from 'chai';
import { readCarriedAckId } from '#infra/fleet/carried-ack-id.ts';
import { createHolder, READER_SILENT_MS, type HeldBounds } from '#infra/fleet/holder.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { AckId, Message } from '#infra/topic/topic.ts';
import { createVirtualTime } from '#test/pipelines/runner/virtual-time.ts';

const SUBSCRIPTION = 's';
const ACK_DEADLINE_SECONDS = 60;
const READER = 'usage-0';
const BOUNDS: HeldBounds = { messagesMax: 10, bytesMax: 1_000_000, secondsMax: 300 };

/** A holder on a topic without faults, in a time of its own. Its leases are looked at as a worker does. */
function openHolder(bounds: Partial<HeldBounds> = {}) {
  const { scheduler, schedule, pass } = createVirtualTime();
  const hostile = openHostileTopic({
    schedule,
    faults: noTopicFaults,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
  });
  const forgotten: AckId[] = [];
  const handle = hostile.open(SUBSCRIPTION);
  const topic = { ...handle, forget: (ids: readonly AckId[]) => void forgotten.push(...ids) };
  const letGo: number[] = [];
  const holder = createHolder({
    ...{ id: 'holder', topic, ackDeadlineSeconds: ACK_DEADLINE_SECONDS, scheduler },
    bounds: { ...BOUNDS, ...bounds },
    onLetGo: (messages) => letGo.push(messages),
  });
  return {
    ...{ holder, handle, forgotten, letGo, pass },
    publish: (count: number) =>
      handle.publish(Array.from({ length: count }, (_, i) => ({ data: Uint8Array.of(i) }))),
    leased: () =>
      hostile
        .fates(SUBSCRIPTION)
        .filter(({ acknowledged, leasedUntil }) => !acknowledged && leasedUntil > scheduler.now()).length,
    passKeepingLeases: async (seconds: number) => {
      for (let at = 0; at < seconds; at += ACK_DEADLINE_SECONDS / 6) {
        await pass((ACK_DEADLINE_SECONDS / 6) * 1_000);
        await holder.keepLeases();
      }
    },
  };
}

const ordinalsOf = (messages: readonly Message[]): number[] =>
  messages.map(({ ackId }) => readCarriedAckId(ackId).ordinal);

describe('a holder of messages', () => {
  it('gives each delivery a number of its own, which it never gives again', async () => {
    const { holder, publish } = openHolder();
    await publish(3);
    holder.reads(READER);
    const first = await holder.pull(READER, 2);
    expect(ordinalsOf(first)).to.deep.equal([0, 1]);
    holder.settle([0, 1]);
    expect(ordinalsOf(await holder.pull(READER, 2))).to.deep.equal([2]);
  });

  it('holds no more than its bound, however many pull at once, and has room again when messages are acknowledged', async () => {
    const { holder, publish } = openHolder();
    await publish(30);
    holder.reads(READER);
    const pulls = await Promise.all([holder.pull(READER, 8), holder.pull(READER, 8), holder.pull(READER, 8)]);
    expect(pulls.map(({ length }) => length)).to.deep.equal([8, 2, 0]);
    expect(holder.room()).to.equal(0);
    holder.settle(ordinalsOf(pulls[0] ?? []));
    expect(holder.room()).to.equal(8);
  });

  it('begins no pull beyond its bound of bytes', async () => {
    const { holder, publish } = openHolder({ bytesMax: 2 });
    await publish(5);
    holder.reads(READER);
    expect(await holder.pull(READER, 3)).to.have.length(3);
    expect(await holder.pull(READER, 3)).to.have.length(0);
  });

  it('keeps leases while it waits, and forgets what was acknowledged elsewhere', async () => {
    const { holder, handle, publish, leased, forgotten, passKeepingLeases } = openHolder();
    await publish(4);
    holder.reads(READER);
    const messages = await holder.pull(READER, 4);
    await passKeepingLeases(4 * ACK_DEADLINE_SECONDS);
    expect(leased()).to.equal(4);
    const ids = messages.slice(0, 3).map(({ ackId }) => readCarriedAckId(ackId).ackId);
    await handle.ack(ids);
    holder.settle(ordinalsOf(messages).slice(0, 3));
    expect(forgotten).to.deep.equal(ids);
    expect(holder.held()).to.deep.equal({ messages: 1, bytes: 1 });
  });

  it('is not moved by receipts of what it does not hold, or by the same one again', async () => {
    const { holder, publish, forgotten } = openHolder();
    await publish(2);
    holder.reads(READER);
    await holder.pull(READER, 2);
    holder.settle([0, 77, 0]);
    holder.settle([0]);
    expect([holder.held().messages, forgotten.length]).to.deep.equal([1, 1]);
  });

  it('takes nothing while it must not, and keeps what it holds until that is acknowledged', async () => {
    const { holder, publish, leased, passKeepingLeases } = openHolder();
    await publish(6);
    const end = holder.reads(READER);
    const messages = await holder.pull(READER, 4);
    holder.setTaking(false);
    expect(await holder.pull(READER, 4)).to.deep.equal([]);
    await passKeepingLeases(2 * ACK_DEADLINE_SECONDS);
    expect([holder.isEmpty(), leased()]).to.deep.equal([false, 4]);
    holder.settle(ordinalsOf(messages));
    expect(holder.isEmpty()).to.equal(true);
    holder.setTaking(true);
    expect(await holder.pull(READER, 4)).to.have.length(2);
    end();
  });

  it('lets go what nobody acknowledges for too long: it comes again, and there is room', async () => {
    const { holder, publish, leased, letGo, passKeepingLeases } = openHolder({ secondsMax: 120 });
    await publish(3);
    holder.reads(READER);
    const messages = await holder.pull(READER, 3);
    await passKeepingLeases(120 + ACK_DEADLINE_SECONDS);
    expect([holder.held().messages, leased(), letGo]).to.deep.equal([0, 0, [3]]);
    expect(await holder.pull(READER, 3), 'again').to.have.length(3);
    holder.settle(ordinalsOf(messages));
    expect(holder.held().messages, 'a late receipt is of the delivery before').to.equal(3);
  });

  it('lets go what a reader was given that reads no more, and keeps what the others have', async () => {
    const { holder, publish, leased, passKeepingLeases } = openHolder();
    await publish(5);
    const rest = holder.reads('gone');
    holder.reads(READER);
    await holder.pull('gone', 3);
    await holder.pull(READER, 2);
    rest();
    await passKeepingLeases(READER_SILENT_MS / 1_000);
    expect(holder.held().messages).to.equal(5);
    await passKeepingLeases(2 * ACK_DEADLINE_SECONDS);
    expect([holder.held().messages, leased()]).to.deep.equal([2, 2]);
  });

  it('remembers what it let go when its receipt comes late', async () => {
    const { holder, publish, forgotten } = openHolder();
    await publish(2);
    holder.reads(READER);
    const messages = await holder.pull(READER, 2);
    holder.letGo(READER);
    expect(holder.held().messages).to.equal(0);
    holder.settle(ordinalsOf(messages));
    expect(forgotten).to.have.length(2);
  });

  it('gives everything back when it closes, also what comes after that', async () => {
    const { holder, publish, leased } = openHolder();
    await publish(4);
    holder.reads(READER);
    await holder.pull(READER, 2);
    const coming = holder.pull(READER, 2);
    await holder.close();
    expect(await coming).to.deep.equal([]);
    expect(leased()).to.equal(0);
    expect(await holder.pull(READER, 1)).to.deep.equal([]);
  });
});
