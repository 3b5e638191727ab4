import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { TopicFaults } from '#infra/topic/hostile/hostile-topic.ts';
import { topicContract } from '#test/contract/topic/suite.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const ACK_DEADLINE_SECONDS = 60;

/** The contract asks one thing after the other, so nobody has to be scheduled. */
function hostile(name: string, faults: TopicFaults): void {
  topicContract(name, async () => {
    let now = SIMULATION_START;
    const schedule = { point: () => Promise.resolve(), random: seededRandom(1).next, now: () => now };
    const topic = openHostileTopic({ schedule, faults, ackDeadlineSeconds: ACK_DEADLINE_SECONDS });
    return {
      open: async (subscription) => topic.open(subscription),
      ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
      passAckDeadline: async () => void (now += ACK_DEADLINE_SECONDS * MICROS_PER_SECOND),
      dispose: async () => undefined,
    };
  });
}

hostile('hostile without faults', noTopicFaults);
// The contract allows no other fault: it counts deliveries, and takes an answer for an answer.
hostile('hostile with late and short answers', {
  ...noTopicFaults,
  delay: 0.3,
  withhold: 0.5,
  unknownOldest: 0.5,
});
