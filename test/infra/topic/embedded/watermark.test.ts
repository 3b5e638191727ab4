import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { EmbeddedTopic } from '#infra/topic/embedded/embedded-topic.ts';
import type { Message } from '#infra/topic/topic.ts';
import { textMessage } from '#test/contract/topic/suite.ts';
import { ACK_DEADLINE_SECONDS, freshTopic } from './fresh-topic.ts';

const HANDLES = 2;
const RUNS = 60;

type Step =
  | { readonly handle: number; readonly kind: 'publish'; readonly count: number }
  | { readonly handle: number; readonly kind: 'pull'; readonly max: number }
  | { readonly handle: number; readonly kind: 'pass' | 'skew'; readonly seconds: number }
  | { readonly handle: number; readonly kind: 'settle' | 'look' }
  /** Some of what a consumer holds, picked by the bits of a number. */
  | { readonly handle: number; readonly kind: 'ack' | 'release' | 'extend'; readonly bits: number };

const handle = fc.nat({ max: HANDLES - 1 });
const bits = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      handle,
      kind: fc.constant('publish' as const),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      handle,
      kind: fc.constant('pull' as const),
      max: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      handle,
      kind: fc.constantFrom('ack' as const, 'release' as const, 'extend' as const),
      bits,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ handle, kind: fc.constant('pass' as const), seconds: fc.nat({ max: 90 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      handle,
      kind: fc.constant('skew' as const),
      seconds: fc.integer({ min: -300, max: 300 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ handle, kind: fc.constantFrom('settle' as const, 'look' as const) }) },
);

interface Look {
  readonly watermark: number;
  readonly acknowledged: ReadonlySet<string>;
}

/** Two handles with clocks of their own, and a record of all that they were told. */
async function interleave(steps: readonly Step[]): Promise<void> {
  const fresh = await freshTopic();
  const skews = Array.from({ length: HANDLES }, () => 0);
  const clockOf = (index: number) => () => fresh.now() + skews[index]! * MICROS_PER_SECOND;
  const topics = await Promise.all(skews.map((_, index) => fresh.open({ clock: clockOf(index) })));
  const publishing: Promise<string[]>[] = [];
  const held: Message[] = [];
  const publishTimes = new Map<string, number>();
  const acknowledged = new Set<string>();
  const looks: Look[] = [];

  const pull = async (topic: EmbeddedTopic, max: number): Promise<void> => {
    for (const message of await topic.pull(max)) {
      expect(publishTimes.get(message.id) ?? message.publishTime).to.equal(message.publishTime);
      expect(acknowledged.has(message.id), 'an acknowledged message came again').to.be.false;
      publishTimes.set(message.id, message.publishTime);
      held.push(message);
    }
  };
  const answer = async (
    topic: EmbeddedTopic,
    kind: 'ack' | 'release' | 'extend',
    bits: number,
  ): Promise<void> => {
    const picked = held.filter((_, index) => (bits >>> (index % 31)) & 1);
    const ids = picked.map((message) => message.ackId);
    if (kind === 'release') return topic.release(ids);
    if (kind === 'extend') return topic.extend(ids, 120);
    for (const message of picked) acknowledged.add(message.id);
    return topic.ack(ids);
  };
  const run = async (taken: Step): Promise<void> => {
    const topic = topics[taken.handle]!;
    if (taken.kind === 'publish')
      publishing.push(topic.publish(Array.from({ length: taken.count }, () => textMessage('m'))));
    else if (taken.kind === 'pull') await pull(topic, taken.max);
    else if (taken.kind === 'pass') fresh.pass(taken.seconds);
    else if (taken.kind === 'skew') skews[taken.handle] = taken.seconds;
    else if (taken.kind === 'settle') await Promise.all(publishing);
    else if (taken.kind === 'look') {
      const seen = await topic.oldestUnacknowledged();
      if (seen !== 'unknown')
        looks.push({ watermark: seen.oldest ?? seen.at, acknowledged: new Set(acknowledged) });
    } else if ('bits' in taken) await answer(topic, taken.kind, taken.bits);
  };

  try {
    for (const taken of steps) await run(taken);
    const published = (await Promise.all(publishing)).flat();
    // In the end every clock is beyond every deadline: what was not acknowledged comes again, and so every publish time is known.
    skews.fill(0);
    fresh.pass(1_000);
    await pull(topics[0]!, 10_000);
    expect(published.filter((id) => !publishTimes.has(id))).to.deep.equal([]);
    for (const look of looks) {
      const passedOver = published.filter(
        (id) => publishTimes.get(id)! < look.watermark && !look.acknowledged.has(id),
      );
      expect(passedOver).to.deep.equal([]);
    }
  } finally {
    await fresh.dispose();
  }
}

describe('the watermark of an embedded topic', () => {
  it('has every message published before it acknowledged, whatever the clocks of the processes say', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), interleave), {
      numRuns: RUNS,
    });
  });

  it('moves on without a message while nothing is unacknowledged', async () => {
    const fresh = await freshTopic();
    try {
      const topic = await fresh.open();
      const before = await topic.oldestUnacknowledged();
      fresh.pass(ACK_DEADLINE_SECONDS);
      const after = await topic.oldestUnacknowledged();
      if (before === 'unknown' || after === 'unknown') throw new Error('an embedded topic always knows');
      expect(after).to.deep.equal({ at: before.at + ACK_DEADLINE_SECONDS * MICROS_PER_SECOND });
    } finally {
      await fresh.dispose();
    }
  });
});
