import { systemScheduler } from '#infra/scheduler.ts';
import { openPubsubTopic } from '#infra/topic/pubsub/open.ts';
import { textOf } from '#test/contract/topic/suite.ts';

/* A process of its own that pulls and never acknowledges, until it is killed: it tells its parent what it holds. */
const [, , emulatorHost = '', projectId = '', topic = '', subscription = '', deadline = ''] = process.argv;

const handle = await openPubsubTopic({
  emulatorHost,
  projectId,
  topic,
  subscription,
  clock: systemScheduler.now,
  ackDeadlineSeconds: Number(deadline),
});
for (;;) {
  const messages = await handle.pull(100);
  if (messages.length > 0) process.send?.(messages.map(textOf));
}
