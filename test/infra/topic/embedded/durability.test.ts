import { copyFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { CreateSegmentFile } from '#infra/topic/embedded/segment-file.ts';
import { createSegmentFile } from '#infra/topic/embedded/segment-file.ts';
import { TopicCorrupt, TopicUnavailable } from '#infra/topic/errors.ts';
import { open } from 'node:fs/promises';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';
import { ACK_DEADLINE_SECONDS, freshTopic } from './fresh-topic.ts';
import type { FreshTopic } from './fresh-topic.ts';

const noSpace = (): Error =>
  Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', errno: -28 });

/** The file system, but a write of a full disk gets as far as half of the bytes. */
function breakableDisk(): { full: boolean; cutOff: boolean; createFile: CreateSegmentFile } {
  const disk = {
    full: false,
    cutOff: true,
    createFile: async (path: string) => {
      const file = await createSegmentFile(path);
      return {
        ...file,
        write: async (bytes: Buffer, position: number) => {
          await file.write(disk.full ? bytes.subarray(0, bytes.length >> 1) : bytes, position);
          if (disk.full) throw noSpace();
        },
        truncate: async (length: number) => {
          if (!disk.cutOff) throw noSpace();
          await file.truncate(length);
        },
      };
    },
  };
  return disk;
}

const rejection = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const texts = async (
  pulled: ReturnType<Awaited<ReturnType<FreshTopic['open']>>['pull']>,
): Promise<string[]> => (await pulled).map(textOf).sort();

describe('the durability of an embedded topic', () => {
  let fresh: FreshTopic;
  beforeEach(async () => {
    fresh = await freshTopic();
  });
  afterEach(() => fresh.dispose());

  const index = (): string => join(fresh.directory, 'topic.db');
  /** Puts back an older index, as a power cut may. All handles are closed. */
  const restoreIndex = async (copy: string | undefined): Promise<void> => {
    for (const suffix of ['', '-wal', '-shm']) await rm(index() + suffix, { force: true });
    if (copy !== undefined) await copyFile(copy, index());
  };

  for (const cutOff of [true, false]) {
    it(`rejects a publish on a full disk and publishes again when it is mended (${cutOff ? 'tail cut off' : 'tail left'})`, async () => {
      const disk = breakableDisk();
      const topic = await fresh.open({ createFile: disk.createFile });
      await topic.publish([textMessage('before')]);
      Object.assign(disk, { full: true, cutOff });
      const error = await rejection(topic.publish([textMessage('lost'), textMessage('lost')]));
      expect(error).to.be.instanceOf(TopicUnavailable);
      expect((error as Error).cause).to.have.property('code', 'ENOSPC');
      disk.full = false;
      await topic.publish([textMessage('after')]);
      expect(await texts(topic.pull(10))).to.deep.equal(['after', 'before']);
      await topic.close();
      const again = await fresh.open();
      fresh.pass(ACK_DEADLINE_SECONDS);
      expect(await texts(again.pull(10))).to.deep.equal(['after', 'before']);
    });
  }

  it('rejects every publish that shared the group that failed, and none of the next', async () => {
    const disk = breakableDisk();
    const topic = await fresh.open({ createFile: disk.createFile });
    disk.full = true;
    const together = await Promise.all(
      Array.from({ length: 5 }, () => rejection(topic.publish([textMessage('lost')]))),
    );
    expect(together.every((error) => error instanceof TopicUnavailable)).to.be.true;
    disk.full = false;
    await topic.publish([textMessage('after')]);
    expect(await texts(topic.pull(10))).to.deep.equal(['after']);
  });

  it('delivers every published message after a power cut took the last transactions of the index', async () => {
    const early = await fresh.open();
    await early.publish([textMessage('a')]);
    await early.close();
    const copy = join(fresh.directory, 'copy');
    await copyFile(index(), copy);

    fresh.pass(1);
    const late = await fresh.open();
    const ids = [
      ...(await late.publish([textMessage('b'), textMessage('c')])),
      ...(await late.publish([textMessage('d')])),
    ];
    const before = await late.pull(10);
    await late.ack(before.filter((message) => textOf(message) === 'd').map((message) => message.ackId));
    await late.close();
    await restoreIndex(copy);

    fresh.pass(3_600);
    const reopened = await fresh.open();
    const after = await reopened.pull(10);
    expect(after.map(textOf).sort()).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(after.map((message) => message.id)).to.include.members(ids);
    // A message does not grow younger: the watermark's promise counts from when it was published.
    for (const message of after) {
      const known = before.find((earlier) => earlier.id === message.id);
      expect(message.publishTime).to.be.at.most(known!.publishTime);
    }
    const fourth = await reopened.publish([textMessage('e')]);
    const [last] = await reopened.pull(10);
    expect(last?.id).to.equal(fourth[0]);
    expect(last?.publishTime).to.be.above(Math.max(...after.map((message) => message.publishTime)));
  });

  it('delivers every published message after the whole index was lost, and once only', async () => {
    const producers = await Promise.all([
      fresh.open({ segmentBytes: 200 }),
      fresh.open({ segmentBytes: 200 }),
    ]);
    const published = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        producers[i % 2]!.publish([textMessage(`m${i}`), textMessage(`n${i}`)]),
      ),
    );
    await Promise.all(producers.map((producer) => producer.close()));
    await restoreIndex(undefined);
    // Nobody may see the log without what was published before: the watermark would pass over it.
    const opened = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const topic = await fresh.open();
        return { topic, seen: await topic.oldestUnacknowledged() };
      }),
    );
    expect(opened.every(({ seen }) => seen !== 'unknown' && seen.oldest !== undefined)).to.be.true;
    const [one, other] = [opened[0]!.topic, opened[1]!.topic];
    const pulled = [...(await one.pull(30)), ...(await other.pull(100))];
    expect(pulled.map((message) => message.id).sort()).to.deep.equal(published.flat().sort());
  });

  it('leaves alone what a living producer has written and not yet registered', async () => {
    const written = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const producer = await fresh.open({
      createFile: async (path) => {
        const file = await createSegmentFile(path);
        const sync = async () => {
          await file.sync();
          written.resolve();
          await goOn.promise;
        };
        return { ...file, sync };
      },
    });
    const publishing = producer.publish([textMessage('once')]);
    await written.promise;
    const consumer = await fresh.open();
    await consumer.maintain(fresh.now());
    expect(await consumer.pull(10)).to.deep.equal([]);
    goOn.resolve();
    const [id] = await publishing;
    await consumer.maintain(fresh.now());
    expect((await consumer.pull(10)).map((message) => message.id)).to.deep.equal([id]);
  });

  it('says which group is damaged, delivers the others and keeps the watermark before it', async () => {
    const topic = await fresh.open();
    const times: number[] = [];
    for (const text of ['good', 'damaged', 'fine']) {
      await topic.publish([textMessage(text)]);
      times.push((await topic.backlog()).oldest!);
      fresh.pass(1);
    }
    const [segment] = (await readdir(fresh.directory)).filter((file) => file.endsWith('.log'));
    const path = join(fresh.directory, segment!);
    await flipByteOf(path, 'damaged');

    const error = await rejection(topic.pull(10));
    expect(error).to.be.instanceOf(TopicCorrupt);
    expect((error as Error).message).to.include(segment!.replace('.log', ''));
    const readable = await topic.pull(10);
    expect(readable.map(textOf).sort()).to.deep.equal(['fine', 'good']);
    await topic.ack(readable.map((message) => message.ackId));
    const seen = await topic.oldestUnacknowledged();
    const good = readable.find((message) => textOf(message) === 'good')!;
    if (seen === 'unknown') throw new Error('an embedded topic always knows');
    expect(seen.oldest).to.be.above(good.publishTime).and.below(seen.at);
  });
});

async function flipByteOf(path: string, text: string): Promise<void> {
  const file = await open(path, 'r+');
  const bytes = await file.readFile();
  const at = bytes.indexOf(text);
  await file.write(Buffer.from([bytes[at]! ^ 1]), 0, 1, at);
  await file.close();
}
