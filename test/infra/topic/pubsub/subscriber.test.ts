import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { PARK_AFTER_MS, PULL_STREAMS, PULL_WAIT_MS, WAITING_MS_MAX } from '#infra/topic/pubsub/limits.ts';
import type { Message } from '#infra/topic/topic.ts';
import { createVirtualTime, type VirtualTime } from '#test/pipelines/runner/virtual-time.ts';
import { ACK_DEADLINE_SECONDS, memoryServer, SUBSCRIPTION, subscribe } from './memory-server.ts';

const DEADLINE_MS = ACK_DEADLINE_SECONDS * 1_000;

const named = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `m${from + i}`);
const idsOf = (messages: readonly Message[]): string[] => messages.map(({ id }) => id);
const ackIdsOf = (messages: readonly Message[]): string[] => messages.map(({ ackId }) => ackId);

/** A subscriber on a server in memory, with its streams open, in a time that the test lets pass. */
async function open(options: Parameters<typeof subscribe>[2] = {}) {
  const time = createVirtualTime();
  const server = memoryServer(time.scheduler);
  const { subscriber, warnings } = subscribe(server, time.scheduler, options);
  /** Pulls, and lets the time pass that it waits for at most. */
  const pull = async (max: number): Promise<Message[]> => during(time, subscriber.pull(max), PULL_WAIT_MS);
  expect(await pull(1)).to.deep.equal([]);
  const deliver = (ids: readonly string[], publishTime?: number): void =>
    server.open()[0]!.deliver(ids, publishTime);
  const close = async (): Promise<void> => during(time, subscriber.close(), 5_000);
  return { time, server, subscriber, warnings, pull, deliver, close };
}

/** Waits for something in a time that passes meanwhile. */
async function during<Result>(
  time: VirtualTime,
  act: Promise<Result>,
  milliseconds: number,
): Promise<Result> {
  const outcome = act.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  await time.pass(milliseconds);
  const settled = await outcome;
  if ('error' in settled) throw settled.error;
  return settled.result;
}

/** Pulls again and again, so that the subscriber does not seem abandoned. */
async function passPulling({ time, pull }: Awaited<ReturnType<typeof open>>, milliseconds: number) {
  for (let passedMs = 0; passedMs < milliseconds; passedMs += DEADLINE_MS / 2) {
    await time.pass(DEADLINE_MS / 2);
    await pull(1);
  }
}

describe('a subscriber', () => {
  it('opens its streams with the first pull, each with its part of the room', async () => {
    const { server, close } = await open();
    expect(server.streams).to.have.length(PULL_STREAMS);
    expect(server.streams[0]!.first).to.deep.include({
      subscription: SUBSCRIPTION,
      streamAckDeadlineSeconds: ACK_DEADLINE_SECONDS,
      maxOutstandingMessages: 1_000 / PULL_STREAMS,
      maxOutstandingBytes: 10_000_000 / PULL_STREAMS,
    });
    await close();
  });

  it('answers a pull that waits as soon as a message comes', async () => {
    const { subscriber, deliver, close } = await open();
    const pulling = subscriber.pull(10);
    deliver(['a', 'b']);
    // No time passes.
    expect(idsOf(await pulling)).to.deep.equal(['a', 'b']);
    await close();
  });

  it('keeps the leases of what waits to be pulled, and leaves those of what was pulled to whoever did', async () => {
    const opened = await open();
    const { server, deliver, pull, close } = opened;
    deliver(named(4));
    expect(idsOf(await pull(2))).to.deep.equal(['m0', 'm1']);
    for (let turn = 0; turn < 3; turn++) await opened.time.pass(DEADLINE_MS / 3);
    expect(new Set(server.extended)).to.deep.equal(new Set(['ack-m2', 'ack-m3']));
    expect(server.extended.length).to.be.at.least(4);
    await close();
  });

  it('hands over messages with half of their lease at least, at any time', async () => {
    const { time, server, subscriber, deliver, close } = await open();
    deliver(named(200));
    const leasedUntil = new Map(
      named(200).map((id) => [`ack-${id}`, time.scheduler.now() + DEADLINE_MS * 1_000]),
    );
    let seen = 0;
    for (let i = 0; i < 200; i++) {
      await time.pass(1_700);
      for (const id of server.extended.slice(seen))
        leasedUntil.set(id, time.scheduler.now() + (DEADLINE_MS - 1_700) * 1_000);
      seen = server.extended.length;
      const [message] = await subscriber.pull(1);
      expect(leasedUntil.get(message!.ackId)! - time.scheduler.now()).to.be.at.least(
        (DEADLINE_MS / 2 - 1_700) * 1_000,
      );
    }
    await close();
  });

  it('forgets what waits when its lease could not be extended: it comes again', async () => {
    const { time, server, deliver, pull, warnings, close } = await open();
    deliver(named(3));
    server.failWith(status.UNAVAILABLE);
    await time.pass(1.1 * DEADLINE_MS);
    expect(warnings).to.include('leases could not be extended; trying again');
    server.failWith(undefined);
    expect(await pull(3)).to.deep.equal([]);
    await close();
  });

  it('gives back what nobody pulls for a long time, although others are pulled', async () => {
    const opened = await open();
    opened.deliver(named(1_000));
    await passPulling(opened, WAITING_MS_MAX + DEADLINE_MS);
    expect(opened.server.released).to.include('ack-m900');
    expect(opened.subscriber.held()?.messages).to.equal(0);
    await opened.close();
  });

  it('gives everything that waits to others when nobody pulls, and begins again with the next pull', async () => {
    const { time, server, deliver, pull, close } = await open();
    deliver(named(3));
    const [taken] = await pull(1);
    await time.pass(PARK_AFTER_MS + DEADLINE_MS);
    expect(server.open()).to.deep.equal([]);
    expect(server.released).to.have.members(['ack-m1', 'ack-m2']).and.to.not.include(taken!.ackId);
    expect(await pull(1)).to.deep.equal([]);
    expect(server.open()).to.have.length(PULL_STREAMS);
    deliver(['later']);
    expect(idsOf(await pull(1))).to.deep.equal(['later']);
    await close();
  });

  it('ends its streams when it has more than it may, and opens them when half of the room is free', async () => {
    const { time, server, subscriber, deliver, pull, close } = await open();
    deliver(named(1_000));
    await time.pass(0);
    expect(server.open()).to.have.length(PULL_STREAMS);
    deliver(['one too many']);
    await time.pass(0);
    expect(server.open()).to.deep.equal([]);
    const pulled = await pull(1_001);
    expect(pulled).to.have.length(1_001);
    await subscriber.ack(ackIdsOf(pulled.slice(0, 500)));
    await time.pass(0);
    expect(server.open()).to.deep.equal([]);
    await subscriber.ack(ackIdsOf(pulled.slice(500, 502)));
    await time.pass(0);
    expect(server.open()).to.have.length(PULL_STREAMS);
    await close();
  });

  it('opens a stream that broke again, with growing pauses while it does nothing, and says why no message comes', async () => {
    const { time, server, warnings, subscriber, pull, close } = await open();
    server.failWith(status.PERMISSION_DENIED);
    for (const stream of server.open()) stream.fail(status.PERMISSION_DENIED);
    await time.pass(60_000);
    // Doubling from a tenth of a second to some seconds.
    expect(server.streams.length).to.be.within(10 * PULL_STREAMS, 20 * PULL_STREAMS);
    expect(warnings).to.include('a stream of the topic broke; opening it again');
    const refused = await during(time, subscriber.pull(1), PULL_WAIT_MS).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(TopicUnavailable);
    expect(String(refused)).to.match(/PERMISSION_DENIED/);
    server.failWith(undefined);
    await time.pass(10_000);
    expect(await pull(1)).to.deep.equal([]);
    expect(server.open()).to.have.length(PULL_STREAMS);
    await close();
  });

  it('takes the end of a stream that did its work for what it is: it opens the next at once', async () => {
    const { time, server, warnings, deliver, pull, close } = await open();
    deliver(['a']);
    server.open()[0]!.fail(status.UNAVAILABLE);
    await time.pass(0);
    expect(server.open()).to.have.length(PULL_STREAMS);
    expect(warnings).to.deep.equal([]);
    expect(idsOf(await pull(1))).to.deep.equal(['a']);
    await close();
  });

  it('pings its streams, which the server would end else', async () => {
    const opened = await open();
    await passPulling(opened, 2 * DEADLINE_MS);
    expect(opened.server.open()[0]!.writes.slice(1)).to.have.length.at.least(2);
    await opened.close();
  });

  it('gives back all it holds when it closes, and takes nothing more', async () => {
    const { server, subscriber, deliver, pull, close } = await open();
    deliver(named(3));
    await pull(1);
    await close();
    expect(server.released).to.have.members(['ack-m0', 'ack-m1', 'ack-m2']);
    expect(server.open()).to.deep.equal([]);
    for (const call of [
      () => subscriber.pull(1),
      () => subscriber.ack(['ack-m0']),
      () => subscriber.extend(['ack-m0'], 10),
    ])
      expect(await call().catch((error: unknown) => error)).to.be.instanceOf(TopicUnavailable);
  });

  it('has room again for what another handle has acknowledged, without asking the server anything', async () => {
    const { time, server, subscriber, deliver, pull, close } = await open();
    deliver(named(1_001));
    await time.pass(0);
    const pulled = await pull(1_001);
    expect(server.open()).to.deep.equal([]);
    subscriber.forget(ackIdsOf(pulled));
    await time.pass(0);
    expect(server.open()).to.have.length(PULL_STREAMS);
    expect([subscriber.held()?.messages, server.acknowledged.length]).to.deep.equal([0, 0]);
    await close();
  });

  it('closes in seconds although the server does not answer', async () => {
    const { time, server, subscriber, deliver } = await open();
    deliver(named(3));
    const silent = new Promise<never>(() => undefined);
    server.calls.modifyAckDeadline = () => silent;
    await during(time, subscriber.close(), 5_000);
  });

  it('does not try for ever to acknowledge what the server does not know', async () => {
    const { server, subscriber, warnings, close } = await open();
    server.failWith(status.INVALID_ARGUMENT);
    await subscriber.ack(['of another life']);
    expect(warnings).to.have.length(1);
    server.failWith(status.UNAVAILABLE);
    expect(await subscriber.ack(['a']).catch((error: unknown) => error)).to.be.instanceOf(TopicUnavailable);
    server.failWith(undefined);
    await close();
  });

  it('acknowledges any number of messages, as many in a request as the server takes', async () => {
    const { server, subscriber, close } = await open();
    const sizes: number[] = [];
    const { acknowledge } = server.calls;
    server.calls.acknowledge = (request, options) => {
      sizes.push(request.ackIds.length);
      return acknowledge(request, options);
    };
    await subscriber.ack(named(2_500));
    expect(sizes).to.deep.equal([1_000, 1_000, 500]);
    expect(server.acknowledged).to.deep.equal(named(2_500));
    await close();
  });
});

describe('how far a subscriber knows its topic to be acknowledged', () => {
  const MARGIN_MS = 5_000;

  it('is nothing until it has listened for a while, then up to a while ago', async () => {
    const { time, subscriber, close } = await open();
    expect(subscriber.oldestHere()).to.equal('unknown');
    await time.pass(MARGIN_MS);
    expect(subscriber.oldestHere()).to.deep.equal({
      at: time.scheduler.now() - MARGIN_MS * 1_000,
      scope: 'worker',
    });
    await close();
  });

  it('is told with the oldest message that it holds, pulled or not, until that is acknowledged', async () => {
    const { time, subscriber, deliver, pull, close } = await open();
    await time.pass(MARGIN_MS);
    const publishTime = time.scheduler.now() - 7;
    deliver(['a'], publishTime);
    deliver(['b'], publishTime + 5);
    expect(subscriber.oldestHere()).to.deep.include({ oldest: publishTime });
    const pulled = await pull(2);
    expect(subscriber.oldestHere()).to.deep.include({ oldest: publishTime });
    await subscriber.ack(['ack-a']);
    expect(subscriber.oldestHere()).to.deep.include({ oldest: publishTime + 5 });
    await subscriber.ack(ackIdsOf(pulled));
    expect(subscriber.oldestHere()).to.not.have.property('oldest');
    await close();
  });

  it('waits for what it gave back, or let go, until another must have it', async () => {
    const { time, subscriber, deliver, pull, close } = await open();
    await time.pass(MARGIN_MS);
    const publishTime = time.scheduler.now();
    deliver(['given back', 'let go'], publishTime);
    await pull(2);
    await subscriber.release(['ack-given back']);
    await subscriber.ack(['ack-let go']);
    await time.pass(30_000);
    expect(subscriber.oldestHere()).to.deep.include({ oldest: publishTime });
    await time.pass(31_000);
    expect(subscriber.oldestHere()).to.not.have.property('oldest');
    await close();
  });

  it('does not move on while late messages show that others may be waiting', async () => {
    const { time, subscriber, deliver, close } = await open();
    for (let i = 0; i < 20; i++) {
      await time.pass(1_000);
      deliver([`late ${i}`], time.scheduler.now() - 3_600_000_000);
    }
    expect(subscriber.oldestHere()).to.deep.include({ at: 0 });
    await time.pass(MARGIN_MS);
    expect(subscriber.oldestHere()).to.deep.include({ at: time.scheduler.now() - MARGIN_MS * 1_000 });
    await close();
  });

  it('stands still while it has no room, or a stream is broken', async () => {
    const { time, server, subscriber, deliver, pull, close } = await open();
    await time.pass(2 * MARGIN_MS);
    const at = time.scheduler.now() - MARGIN_MS * 1_000;
    deliver(named(1_000));
    await time.pass(2 * MARGIN_MS);
    expect(subscriber.oldestHere()).to.deep.include({ at });
    await subscriber.ack(ackIdsOf(await pull(1_000)));
    await time.pass(MARGIN_MS);
    server.failWith(status.UNAVAILABLE);
    server.open()[0]!.fail(status.UNAVAILABLE);
    const brokenAt = time.scheduler.now();
    await time.pass(4 * MARGIN_MS);
    const seen = subscriber.oldestHere();
    expect(seen !== 'unknown' && seen.at).to.equal(brokenAt - MARGIN_MS * 1_000);
    server.failWith(undefined);
    await close();
  });

  it('goes back with a seek', async () => {
    const { time, subscriber, deliver, close } = await open();
    await time.pass(2 * MARGIN_MS);
    deliver(['a']);
    const to = time.scheduler.now() - 60_000_000;
    await subscriber.seek(to);
    expect(subscriber.oldestHere()).to.deep.equal({ at: to, scope: 'worker' });
    await close();
  });
});

describe('the attempts of a message', () => {
  it('are counted as far as the handle saw them, and begin again when it is acknowledged', async () => {
    const { subscriber, deliver, pull, close } = await open();
    for (const attempt of [1, 2, 3]) {
      deliver(['a']);
      const [message] = await pull(1);
      expect(message?.attempt).to.equal(attempt);
      await subscriber.release([message!.ackId]);
    }
    deliver(['a']);
    await subscriber.ack(ackIdsOf(await pull(1)));
    deliver(['a']);
    expect((await pull(1)).map(({ attempt }) => attempt)).to.deep.equal([1]);
    await close();
  });
});
