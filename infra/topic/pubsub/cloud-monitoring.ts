import { PubSub } from '@google-cloud/pubsub';
import { z } from 'zod';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { MONITORING_TIMEOUT_MS, SAMPLE_AGE_MS_MAX } from './limits.ts';

/** A value that Cloud Monitoring has of a subscription, and when it was so. */
export interface Sample {
  readonly at: Instant;
  readonly value: number;
}

/** The metrics of a subscription that say how far it is behind. Ages are whole seconds. */
export type SubscriptionMetric = 'oldest_unacked_message_age' | 'num_undelivered_messages';

/** The newest sample of the last quarter of an hour; undefined when there is none. */
export type ReadSample = (metric: SubscriptionMetric, now: Instant) => Promise<Sample | undefined>;

/** One GET with the credentials of the process; resolves with the JSON of the answer. */
export type GetJson = (url: string) => Promise<unknown>;

const MONITORING = 'https://monitoring.googleapis.com';

const timeSeriesAnswer = z.object({
  timeSeries: z
    .array(
      z.object({
        points: z.array(
          z.object({
            interval: z.object({ endTime: z.string() }),
            value: z.union([
              z.object({ int64Value: z.string().regex(/^\d{1,15}$/) }).transform((v) => Number(v.int64Value)),
              z.object({ doubleValue: z.number() }).transform((v) => v.doubleValue),
            ]),
          }),
        ),
      }),
    )
    .default([]),
});

/** Reads the metrics of one subscription. */
export const monitoredSubscription =
  (getJson: GetJson, { projectId, subscription }: { projectId: string; subscription: string }): ReadSample =>
  async (metric, now) => {
    const url = new URL(`/v3/projects/${projectId}/timeSeries`, MONITORING);
    url.searchParams.set(
      'filter',
      `metric.type = "pubsub.googleapis.com/subscription/${metric}" AND resource.labels.subscription_id = "${subscription}"`,
    );
    url.searchParams.set('interval.startTime', formatInstant(now - SAMPLE_AGE_MS_MAX * MICROS_PER_MILLI));
    url.searchParams.set('interval.endTime', formatInstant(now));
    return newestOf(timeSeriesAnswer.parse(await getJson(url.href)));
  };

/** Points come newest first, but nothing depends on that. */
function newestOf({ timeSeries }: z.infer<typeof timeSeriesAnswer>): Sample | undefined {
  let newest: Sample | undefined;
  for (const { interval, value } of timeSeries.flatMap(({ points }) => points)) {
    const at = parseRfc3339(interval.endTime)?.at;
    if (at !== undefined && at > (newest?.at ?? -Infinity)) newest = { at, value };
  }
  return newest;
}

/** With the default credentials of the machine, as the Pub/Sub client finds them. */
export function getWithCredentials(projectId: string): GetJson {
  const { auth } = new PubSub({ projectId });
  return async (url) => {
    const { data } = await auth.request<unknown>({ url, timeout: MONITORING_TIMEOUT_MS });
    return data;
  };
}
