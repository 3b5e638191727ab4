import { expect } from 'chai';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { event, watermark } from '#infra/usage/tables.ts';
import type { Message } from '#infra/topic/topic.ts';
import { CommitAndMark } from '#pipelines/portable/commit-and-mark.ts';
import { NO_ACK_ID } from '#pipelines/portable/from-pubsub.ts';
import { BEGIN_SLOT_END_MS, heldBackUntil, slotEndOf, SLOT_MS } from '#pipelines/portable/markers.ts';
import { COMMIT_PATIENCE_SECONDS } from '#pipelines/portable/portable-worker.ts';
import { RecordMarkers } from '#pipelines/portable/record-markers.ts';
import { ACK_DEADLINE_SECONDS, FEED, MINUTE_MS, openRead, RULE, SECOND_MS } from './worker-world.ts';

/** As the runner's own read gives them. */
const asRead = (messages: readonly Message[]): Message[] =>
  messages.map((message) => ({ ...message, ackId: NO_ACK_ID, attempt: 1 }));

async function commitAndMark(name: string, messages: readonly Message[]) {
  const sink = new CommitAndMark(name, FEED);
  await sink.setup();
  sink.startBundle();
  for (const message of asRead(messages)) sink.process(parseDelivery(RULE, message));
  return sink.finishBundle();
}

async function beginRecording(name: string) {
  const sink = new RecordMarkers(name, FEED);
  await sink.setup();
  return async (slotEndsMs: readonly number[]): Promise<void> => {
    sink.startBundle();
    for (const end of slotEndsMs) sink.process({ key: FEED, value: [end, end] });
    await sink.finishBundle();
  };
}

describe('the sink of a runner that reads by itself', () => {
  it('commits, acknowledges nothing, and marks each slot that it touched in the time of its earliest message', async () => {
    const { committing, messages, during, database, unacknowledged } = await openRead(10);
    const marks = await during(commitAndMark(committing.name, messages), 5 * SECOND_MS);
    expect([database.rows(event).length, unacknowledged()]).to.deep.equal([10, 10]);
    const earliest = Math.floor(
      Math.min(...messages.map(({ publishTime }) => publishTime)) / MICROS_PER_MILLI,
    );
    const [begin, first] = marks;
    expect(begin?.value).to.deep.equal({ key: FEED, value: BEGIN_SLOT_END_MS });
    expect(begin?.timestamp.toNumber()).to.be.below(BEGIN_SLOT_END_MS);
    expect(first?.value).to.deep.equal({ key: FEED, value: slotEndOf(earliest) });
    expect(first?.timestamp.toNumber()).to.equal(earliest);
  });

  it('marks nothing before the warehouse has its rows: nobody brings the messages again', async () => {
    const { committing, messages, time, warehouse, database } = await openRead(10);
    warehouse.failFor(20 * SECOND_MS * MICROS_PER_MILLI);
    let marks: readonly unknown[] | undefined;
    const committed = commitAndMark(committing.name, messages).then((given) => (marks = given));
    await time.pass(10 * SECOND_MS);
    expect([database.rows(event).length, marks]).to.deep.equal([10, undefined]);
    await time.pass(MINUTE_MS);
    await committed;
    expect(marks).to.not.be.empty;
  });

  it('fails its bundle when that takes too long, so that its runner goes back to a checkpoint', async () => {
    const { committing, messages, time, warehouse } = await openRead(10);
    warehouse.failFor(10 * MINUTE_MS * MICROS_PER_MILLI);
    const failed = commitAndMark(committing.name, messages).catch((error: unknown) => error);
    await time.pass((COMMIT_PATIENCE_SECONDS + 10) * SECOND_MS);
    expect(await failed).to.be.instanceOf(Error);
  });
});

describe('the markers of a runner that reads by itself', () => {
  it('are recorded from a deadline and a minute after a begin on, and anew after each', async () => {
    const { openWorker, database, time, scheduler, during } = await openRead(0);
    const { name } = openWorker();
    const through = () =>
      Math.max(
        0,
        ...database
          .rows(watermark)
          .filter(({ worker }) => worker === 'markers')
          .map(({ committedThrough }) => committedThrough),
      );
    const slotBefore = (agoMs: number) => slotEndOf(scheduler.now() / MICROS_PER_MILLI - agoMs);
    const heldBackMs = heldBackUntil(0, ACK_DEADLINE_SECONDS) / MICROS_PER_MILLI;
    const record = await beginRecording(name);
    await during(record([slotBefore(2 * MINUTE_MS)]), SECOND_MS);
    expect(through(), 'at once').to.equal(0);
    await time.pass(heldBackMs);
    const slot = slotBefore(2 * MINUTE_MS);
    await during(record([slot - SLOT_MS, slot]), SECOND_MS);
    expect(through(), 'later').to.equal(slot * MICROS_PER_MILLI);
    const again = await beginRecording(name);
    await during(again([slotBefore(2 * MINUTE_MS)]), SECOND_MS);
    expect(through(), 'after another begin').to.equal(slot * MICROS_PER_MILLI);
  });

  it('are lost while the database takes nothing, and no bundle fails for it', async () => {
    const { openWorker, database, time, scheduler } = await openRead(0);
    const record = await beginRecording(openWorker().name);
    await time.pass(heldBackUntil(0, ACK_DEADLINE_SECONDS) / MICROS_PER_MILLI);
    database.failFor(MINUTE_MS * MICROS_PER_MILLI);
    const recorded = record([slotEndOf(scheduler.now() / MICROS_PER_MILLI - 2 * MINUTE_MS)]);
    await time.pass(2 * MINUTE_MS);
    await recorded;
  });
});
