import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { unavailable } from './failures.ts';
import { SAMPLE_EVERY_MS, SAMPLE_SLACK_MS } from './limits.ts';
import type { ReadSample, Sample, SubscriptionMetric } from './cloud-monitoring.ts';
import type { Unacknowledged } from '../topic.ts';
import { TopicUnavailable } from '../errors.ts';

/** How far behind a subscription is, as Cloud Monitoring knows: of all its messages, whoever holds them, some minutes ago. */
export interface MonitoredState {
  oldestUnacknowledged(): Promise<Unacknowledged | 'unknown'>;
  backlog(): Promise<{ readonly messages: number; readonly oldest?: Instant }>;
  /** What was sampled before says nothing any more. */
  sought(): void;
}

export function monitorState(readSample: ReadSample, now: () => Instant): MonitoredState {
  let soughtAt: Instant = -Infinity;
  const sample = remember(readSample, now);
  const oldest = async (): Promise<Unacknowledged | 'unknown'> => {
    const age = await sample('oldest_unacked_message_age');
    return age === undefined || age.at - SLACK_MICROS <= soughtAt ? 'unknown' : unacknowledgedAt(age);
  };
  return {
    oldestUnacknowledged: oldest,
    backlog: async () => {
      const count = await sample('num_undelivered_messages');
      if (count === undefined) throw new TopicUnavailable('the backlog is not sampled yet');
      const seen = await oldest();
      return {
        messages: count.value,
        ...(seen === 'unknown' || seen.oldest === undefined ? {} : { oldest: seen.oldest }),
      };
    },
    sought: () => {
      soughtAt = now();
    },
  };
}

const SLACK_MICROS = SAMPLE_SLACK_MS * MICROS_PER_MILLI;

/** A sample at `t` of the age `a` says that everything published before t - a was acknowledged; an age of 0, that everything was. */
export function unacknowledgedAt({ at: sampledAt, value: ageSeconds }: Sample): Unacknowledged {
  const at = sampledAt - SLACK_MICROS;
  const oldest = Math.floor(at - ageSeconds * MICROS_PER_SECOND);
  return { at, ...(ageSeconds === 0 ? {} : { oldest }), scope: 'subscription' };
}

/** Asks again only when there can be something new: a sample is good for half a minute, and so is an error not asked about twice at once. */
function remember(readSample: ReadSample, now: () => Instant) {
  const known = new Map<SubscriptionMetric, { at: Instant; sample: Promise<Sample | undefined> }>();
  return async (metric: SubscriptionMetric): Promise<Sample | undefined> => {
    let last = known.get(metric);
    if (last === undefined || now() - last.at >= SAMPLE_EVERY_MS * MICROS_PER_MILLI) {
      last = { at: now(), sample: readSample(metric, now()) };
      known.set(metric, last);
    }
    return last.sample.catch((error: unknown) => {
      throw unavailable('ask Cloud Monitoring', error);
    });
  };
}
