import { expect } from 'chai';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { MICROS_PER_MINUTE, MICROS_PER_SECOND } from '#domain/instant.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { monitoredSubscription } from '#infra/topic/pubsub/cloud-monitoring.ts';
import { SAMPLE_SLACK_MS } from '#infra/topic/pubsub/limits.ts';
import { monitorState } from '#infra/topic/pubsub/monitored-state.ts';

const NOON = Date.UTC(2026, 2, 1, 12) * 1_000;
const SLACK = SAMPLE_SLACK_MS * 1_000;
const SAMPLED = NOON - 3 * MICROS_PER_MINUTE;

const point = (at: number, value: object) => ({
  interval: { startTime: formatInstant(at), endTime: formatInstant(at) },
  value,
});
const seriesOf = (...points: object[]) => ({ timeSeries: [{ metric: {}, resource: {}, points }], unit: 's' });

/** Cloud Monitoring that answers as the test wants, and the clock of whoever asks. */
function open(answers: Readonly<Record<string, unknown>>) {
  const asked: URL[] = [];
  const clock = { now: NOON };
  const getJson = async (url: string): Promise<unknown> => {
    const said = new URL(url);
    asked.push(said);
    const metric = /subscription\/(\w+)/.exec(said.searchParams.get('filter') ?? '')?.[1] ?? '';
    const answer = answers[metric];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const readSample = monitoredSubscription(getJson, { projectId: 'p', subscription: 's' });
  return { asked, clock, state: monitorState(readSample, () => clock.now) };
}

describe('a subscription as Cloud Monitoring knows it', () => {
  it('is acknowledged up to its oldest message at the time of the sample, with some slack', async () => {
    const { state, asked } = open({
      oldest_unacked_message_age: seriesOf(point(SAMPLED, { int64Value: '90' })),
    });
    expect(await state.oldestUnacknowledged()).to.deep.equal({
      at: SAMPLED - SLACK,
      oldest: SAMPLED - SLACK - 90 * MICROS_PER_SECOND,
      scope: 'subscription',
    });
    expect(asked[0]!.origin + asked[0]!.pathname).to.equal(
      'https://monitoring.googleapis.com/v3/projects/p/timeSeries',
    );
    expect(Object.fromEntries(asked[0]!.searchParams)).to.deep.equal({
      filter:
        'metric.type = "pubsub.googleapis.com/subscription/oldest_unacked_message_age" AND resource.labels.subscription_id = "s"',
      'interval.startTime': '2026-03-01T11:45:00Z',
      'interval.endTime': '2026-03-01T12:00:00Z',
    });
  });

  it('is acknowledged up to the sample when no message is unacknowledged', async () => {
    const { state } = open({ oldest_unacked_message_age: seriesOf(point(SAMPLED, { int64Value: '0' })) });
    expect(await state.oldestUnacknowledged()).to.deep.equal({ at: SAMPLED - SLACK, scope: 'subscription' });
  });

  it('is taken from the newest sample, in whatever order and form they come', async () => {
    const { state } = open({
      oldest_unacked_message_age: {
        timeSeries: [
          { points: [point(SAMPLED - MICROS_PER_MINUTE, { int64Value: '1' })] },
          { points: [point(SAMPLED, { doubleValue: 2.5 }), point(SAMPLED - 1, { int64Value: '9' })] },
        ],
      },
    });
    expect(await state.oldestUnacknowledged()).to.deep.include({
      oldest: SAMPLED - SLACK - 2.5 * MICROS_PER_SECOND,
    });
  });

  it('is unknown while there is no sample', async () => {
    for (const answer of [{}, { timeSeries: [] }, seriesOf()]) {
      const { state } = open({ oldest_unacked_message_age: answer, num_undelivered_messages: answer });
      expect(await state.oldestUnacknowledged()).to.equal('unknown');
      expect(await state.backlog().catch((error: unknown) => error)).to.be.instanceOf(TopicUnavailable);
    }
  });

  it('is unknown after a seek until a sample was surely taken after it', async () => {
    const answers = { oldest_unacked_message_age: seriesOf(point(NOON, { int64Value: '0' })) };
    const { state, clock } = open(answers);
    state.sought();
    expect(await state.oldestUnacknowledged()).to.equal('unknown');
    const later = NOON + SLACK + 1;
    answers.oldest_unacked_message_age = seriesOf(point(later, { int64Value: '0' }));
    clock.now = later + MICROS_PER_MINUTE;
    expect(await state.oldestUnacknowledged()).to.deep.equal({ at: later - SLACK, scope: 'subscription' });
  });

  it('is asked about again only when there can be something new', async () => {
    const { state, asked, clock } = open({
      oldest_unacked_message_age: seriesOf(point(SAMPLED, { int64Value: '0' })),
    });
    await Promise.all([state.oldestUnacknowledged(), state.oldestUnacknowledged()]);
    clock.now += 29 * MICROS_PER_SECOND;
    await state.oldestUnacknowledged();
    expect(asked).to.have.length(1);
    clock.now += 2 * MICROS_PER_SECOND;
    await state.oldestUnacknowledged();
    expect(asked).to.have.length(2);
  });

  it('has a backlog of all its messages', async () => {
    const { state } = open({
      oldest_unacked_message_age: seriesOf(point(SAMPLED, { int64Value: '5' })),
      num_undelivered_messages: seriesOf(point(SAMPLED, { int64Value: '1234' })),
    });
    expect(await state.backlog()).to.deep.equal({
      messages: 1_234,
      oldest: SAMPLED - SLACK - 5 * MICROS_PER_SECOND,
    });
  });

  it('is unavailable, not unknown, when the answer is an error or none that can be read', async () => {
    for (const answer of [
      new Error('403'),
      'no JSON',
      { timeSeries: 5 },
      seriesOf(point(SAMPLED, { int64Value: '-1' })),
      seriesOf(point(SAMPLED, { stringValue: '1' })),
    ]) {
      const { state } = open({ oldest_unacked_message_age: answer });
      const error = await state.oldestUnacknowledged().catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(TopicUnavailable);
    }
  });
});
