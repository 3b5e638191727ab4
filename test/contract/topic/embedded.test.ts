import { ACK_DEADLINE_SECONDS, freshTopic } from '#test/infra/topic/embedded/fresh-topic.ts';
import { topicContract } from './suite.ts';

topicContract('embedded', async () => {
  const fresh = await freshTopic();
  return {
    open: (subscription) => fresh.open({ subscription }),
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
    passAckDeadline: async () => fresh.pass(ACK_DEADLINE_SECONDS),
    dispose: fresh.dispose,
  };
});
