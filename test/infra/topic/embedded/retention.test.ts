import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import type { EmbeddedTopic } from '#infra/topic/embedded/embedded-topic.ts';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';
import { ACK_DEADLINE_SECONDS, freshTopic } from './fresh-topic.ts';
import type { FreshTopic } from './fresh-topic.ts';

const DAY_SECONDS = 86_400;
/** Every group then fills a segment. */
const TINY_SEGMENT = 1;

describe('the retention of an embedded topic', () => {
  let fresh: FreshTopic;
  let topic: EmbeddedTopic;
  beforeEach(async () => {
    fresh = await freshTopic();
    topic = await fresh.open({ segmentBytes: TINY_SEGMENT });
  });
  afterEach(() => fresh.dispose());

  const files = async (suffix: string): Promise<string[]> =>
    (await readdir(fresh.directory)).filter((file) => file.endsWith(suffix));
  const publishAndAcknowledge = async (text: string): Promise<void> => {
    await topic.publish([textMessage(text)]);
    await topic.ack((await topic.pull(10)).map((message) => message.ackId));
  };

  it('keeps acknowledged messages for seven days, for a seek', async () => {
    const from = fresh.now();
    await publishAndAcknowledge('a');
    await publishAndAcknowledge('b');
    fresh.pass(7 * DAY_SECONDS - 1);
    expect(await topic.maintain(fresh.now())).to.deep.include({ deletedSegments: 0, dropped: [] });
    await topic.seek(from);
    expect((await topic.pull(10)).map(textOf).sort()).to.deep.equal(['a', 'b']);
  });

  it('deletes whole segments that are older, and drops nothing that was acknowledged', async () => {
    await publishAndAcknowledge('a');
    await publishAndAcknowledge('b');
    fresh.pass(8 * DAY_SECONDS);
    await publishAndAcknowledge('c');
    expect(await topic.maintain(fresh.now())).to.deep.include({ deletedSegments: 2, dropped: [] });
    expect(await files('.log')).to.have.length(1);
    await topic.seek(0);
    expect((await topic.pull(10)).map(textOf)).to.deep.equal(['c']);
  });

  it('reports what it drops unacknowledged, leased or never delivered, for every subscription', async () => {
    const other = await fresh.open({ subscription: 'other' });
    await topic.publish([textMessage('a'), textMessage('b'), textMessage('c')]);
    const [first] = await topic.pull(2);
    await topic.ack([first!.ackId]);
    fresh.pass(8 * DAY_SECONDS);
    await topic.publish([textMessage('d')]);
    const { dropped } = await topic.maintain(fresh.now());
    expect(dropped).to.have.deep.members([
      { subscription: 'usage', messages: 2 },
      { subscription: 'other', messages: 3 },
    ]);
    expect((await other.pull(10)).map(textOf)).to.deep.equal(['d']);
    expect((await topic.backlog()).messages).to.equal(1);
  });

  it('never brings back a deleted segment, also when it died before it deleted the file', async () => {
    await publishAndAcknowledge('a');
    await topic.close();
    const index = new DatabaseSync(join(fresh.directory, 'topic.db'));
    index.exec('DELETE FROM message_group; UPDATE segment SET retired = 1');
    index.close();
    const reopened = await fresh.open();
    expect(await reopened.pull(10)).to.deep.equal([]);
    expect(await reopened.maintain(fresh.now())).to.deep.include({
      deletedSegments: 1,
      recoveredMessages: 0,
    });
    expect(await files('.log')).to.deep.equal([]);
    expect(await files('.lock')).to.deep.equal(['recovery.lock']);
  });

  it('leaves the segment that a living producer writes, and what a dead one left it takes over first', async () => {
    await publishAndAcknowledge('a');
    fresh.pass(8 * DAY_SECONDS);
    expect(await topic.maintain(fresh.now())).to.deep.include({ deletedSegments: 0 });
    const other = await fresh.open();
    await topic.close();
    expect(await other.maintain(fresh.now())).to.deep.include({ deletedSegments: 1 });
    await other.publish([textMessage('b')]);
    expect((await other.pull(10)).map(textOf)).to.deep.equal(['b']);
  });

  it('begins a new segment after a day, so that a segment can be deleted as a whole', async () => {
    const daily = await fresh.open({ subscription: 'daily' });
    await daily.publish([textMessage('a')]);
    await daily.publish([textMessage('b')]);
    expect(await files('.log')).to.have.length(1);
    fresh.pass(DAY_SECONDS + 1);
    await daily.publish([textMessage('c')]);
    expect(await files('.log')).to.have.length(2);
  });
});

describe('the size of an embedded topic', () => {
  let fresh: FreshTopic;
  beforeEach(async () => {
    fresh = await freshTopic();
  });
  afterEach(() => fresh.dispose());

  const leases = (): number => {
    const index = new DatabaseSync(join(fresh.directory, 'topic.db'), { readOnly: true });
    const count = Number(index.prepare('SELECT count(*) AS count FROM lease').get()?.['count']);
    index.close();
    return count;
  };

  it('stays the same while one old message is never acknowledged', async () => {
    const topic = await fresh.open();
    const batch = Array.from({ length: 1_000 }, () => textMessage('m'));
    await topic.publish(batch);
    const [stuck, ...others] = await topic.pull(1_000);
    await topic.ack(others.map((message) => message.ackId));
    for (let i = 0; i < 20; i++) {
      await topic.publish(batch);
      await topic.ack((await topic.pull(1_000)).map((message) => message.ackId));
    }
    expect(leases()).to.equal(1);
    expect(await topic.backlog()).to.deep.include({ messages: 1, oldest: stuck!.publishTime });
  });

  it('takes one row a group however the acknowledgements are scattered', async () => {
    const topic = await fresh.open();
    for (let i = 0; i < 5; i++) await topic.publish(Array.from({ length: 1_000 }, () => textMessage('m')));
    const ids = (await topic.pull(5_000)).map((message) => message.ackId);
    for (let part = 0; part < 7; part++) await topic.ack(ids.filter((_, i) => i % 8 === part));
    expect(leases()).to.equal(5);
    fresh.pass(ACK_DEADLINE_SECONDS);
    expect((await topic.pull(5_000)).map((message) => message.attempt)).to.deep.equal(
      Array.from({ length: 625 }, () => 2),
    );
    expect((await topic.backlog()).messages).to.equal(625);
  });
});
