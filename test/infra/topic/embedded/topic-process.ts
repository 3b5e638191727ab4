import { readFileSync, writeSync } from 'node:fs';
import { openTopic } from '#infra/topic/embedded/embedded-topic.ts';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';

/*
 * A process of its own that works on a topic until it is killed: `produce` publishes batch after batch and says what was accepted,
 * `consume` pulls and says what it got, acknowledging it or not. Its clock is a file, so that the test moves time for all processes.
 */
const [, , mode, directory = '', clockFile = '', name = ''] = process.argv;
const PRODUCED_TOGETHER = 50;
const PULLED_TOGETHER = 7;

/** With a full stop, by which the test tells a whole line from one that a kill cut short. */
const say = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}.\n`);
const topic = await openTopic({
  directory,
  subscription: 'usage',
  clock: () => Number(readFileSync(clockFile, 'utf8')),
  segmentBytes: 20_000,
});

async function produce(): Promise<void> {
  for (let batch = 0; ; batch++) {
    const texts = Array.from(
      { length: PRODUCED_TOGETHER },
      (_, i) => `${name} ${batch} ${i} ${'x'.repeat(batch % 90)}`,
    );
    // Two calls that overlap, so that groups are also made of what came while another was written.
    const calls = await Promise.all([
      topic.publish(texts.slice(0, 20).map(textMessage)),
      topic.publish(texts.slice(20).map(textMessage)),
    ]);
    say(calls.flat().map((id, i) => [id, texts[i]]));
  }
}

async function consume(acknowledge: boolean): Promise<void> {
  for (;;) {
    const messages = await topic.pull(PULLED_TOGETHER);
    if (messages.length === 0) break;
    if (acknowledge) await topic.ack(messages.map((message) => message.ackId));
    say(messages.map((message) => [message.id, textOf(message)]));
  }
  say('empty');
  // Alive and holding its leases, until it is killed.
  setInterval(() => undefined, 60_000);
}

if (mode === 'produce') await produce();
else await consume(mode === 'acknowledge');
