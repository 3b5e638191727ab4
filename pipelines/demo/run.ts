import { setTimeout as sleep } from 'node:timers/promises';
import type { CatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import { DEFAULT_LATENESS_MICROS } from '#infra/usage/watermark.ts';
import type { ApiClient } from './api-client.ts';
import type { DemoBacking, DemoStores } from './backing.ts';
import { BILLABLE_MIDNIGHT_AGE_MS_MAX } from './billing-month.ts';
import type { Planned } from './data-set.ts';
import type { DemoPipeline, PipelineCost } from './demo-pipeline.ts';
import { noAnswers, postEvents, type EventAnswers } from './event-requests.ts';
import { isRejected } from './expected.ts';
import { showProgress, type Progress } from './progress.ts';
import { startChecks, type CheckLatencies } from './steady-checks.ts';

const MESSAGES_PER_PUBLISH = 1_000;
/** What is sent before the pipeline is killed, as a share of all. */
const SENT_BEFORE_KILL = 0.6;
/** How much of all must be committed before the kill, so that it comes in the middle of work. */
const COMMITTED_BEFORE_KILL = 0.2;
const POLL_MS = 20;
const DAY_SECONDS = 86_400;
const SENDING_SECONDS_MAX = 3_600;
/** While a day that is over is sent, its feeds promise no more than they keep: that events come so long after they happened. */
const LATENESS_OF_A_DAY_SECONDS = BILLABLE_MIDNIGHT_AGE_MS_MAX / 1_000 + DAY_SECONDS + SENDING_SECONDS_MAX;
const USUAL_LATENESS_SECONDS = DEFAULT_LATENESS_MICROS / 1_000_000;

export interface Run {
  readonly seconds: number;
  readonly messages: number;
  /** What was killed, after how many messages. */
  readonly killed: string;
  readonly killedAt: number;
  /** How the pipeline came back. */
  readonly recovered: string;
  readonly recoverySeconds: number;
  readonly cost: PipelineCost | undefined;
  readonly checks: CheckLatencies;
  readonly pipeline: DemoPipeline;
}

/** Where messages go in, and what the API said of those that went over HTTP. */
export interface Entrances {
  readonly stores: DemoStores;
  readonly client: ApiClient;
  readonly answers: EventAnswers;
  /** Everything that went in. */
  readonly sent: Planned[];
}

/** Once the day is in, the feeds promise again what they usually do: so usage is complete up to an hour ago, and can be billed. */
export const startUsualPipeline = (backing: DemoBacking): Promise<DemoPipeline> =>
  backing.startPipeline(USUAL_LATENESS_SECONDS);

export const openEntrances = ({ stores }: DemoBacking, client: ApiClient): Entrances => ({
  stores,
  client,
  answers: noAnswers(),
  sent: [],
});

/**
 * Sends the messages and lets the pipeline work them off, killing it in the middle. What is left to send goes in while no pipeline runs,
 * and entitlements are checked all the while. The pipeline runs on afterwards.
 */
export async function runMessages(
  entrances: Entrances,
  backing: DemoBacking,
  { catalogue, flow }: { readonly catalogue: CatalogueFile; readonly flow: readonly Planned[] },
): Promise<Run> {
  const pipeline = await backing.startPipeline(LATENESS_OF_A_DAY_SECONDS);
  const toDo = pipeline.toDo(flow);
  const progress = showProgress('send and count', toDo);
  const done = (): number => Math.min(toDo, pipeline.done());
  const show = (): void => progress.update(done());
  const checks = startChecks(entrances.client, catalogue, backing.scale.checksPerSecond);
  const startedAt = performance.now();
  const split = Math.ceil(flow.length * SENT_BEFORE_KILL);
  await sendAll(entrances, flow.slice(0, split), show);
  await until(() => done() >= toDo * COMMITTED_BEFORE_KILL, pipeline, show);
  const [fall] = await Promise.all([
    killAndRecover(pipeline, done, progress),
    sendAll(entrances, flow.slice(split), show),
  ]);
  await untilDrained(backing, entrances, pipeline, show);
  progress.end();
  return {
    ...fall,
    seconds: (performance.now() - startedAt) / 1_000,
    messages: flow.filter((message) => !isRejected(message)).length,
    cost: pipeline.cost(),
    checks: await checks.stop(),
    pipeline,
  };
}

/** Resolves when the pipeline works again. */
async function killAndRecover(
  pipeline: DemoPipeline,
  done: () => number,
  progress: Progress,
): Promise<Pick<Run, 'killed' | 'killedAt' | 'recovered' | 'recoverySeconds'>> {
  const killedAt = done();
  const fellAt = performance.now();
  const killed = await pipeline.kill();
  progress.say(
    `killed ${killed} after ${killedAt.toLocaleString('en-US')} messages; the API goes on, and so will the pipeline`,
  );
  const recovered = await pipeline.recover();
  const recoverySeconds = (performance.now() - fellAt) / 1_000;
  progress.say(`${recovered}, ${recoverySeconds.toFixed(1)} s after the kill`);
  return { killed, killedAt, recovered, recoverySeconds };
}

/** Resolves when the pipeline has done with everything that was sent. Throws when it has ended by itself. */
export const untilDrained = (
  backing: DemoBacking,
  { sent }: Entrances,
  pipeline: DemoPipeline,
  meanwhile: () => void = () => undefined,
): Promise<void> => until(() => backing.isDrained(sent), pipeline, meanwhile);

/** Each message the way it is planned to go, both ways side by side; `meanwhile` is called now and then. */
export async function sendAll(
  { stores, client, answers, sent }: Entrances,
  messages: readonly Planned[],
  meanwhile: () => void = () => undefined,
): Promise<void> {
  for (const message of messages) sent.push(message);
  const { http = [], topic = [] } = Object.groupBy(messages, ({ way }) => way);
  await Promise.all([postEvents(client, http, answers), publishAll(stores, topic, meanwhile)]);
}

async function publishAll(
  { topic }: DemoStores,
  messages: readonly Planned[],
  meanwhile: () => void,
): Promise<void> {
  for (let at = 0; at < messages.length; at += MESSAGES_PER_PUBLISH) {
    await topic.publish(
      messages.slice(at, at + MESSAGES_PER_PUBLISH).map(({ text }) => ({ data: Buffer.from(text) })),
    );
    meanwhile();
  }
}

async function until(
  reached: () => boolean | Promise<boolean>,
  pipeline: DemoPipeline,
  meanwhile: () => void,
): Promise<void> {
  while (!(await reached())) {
    if (!pipeline.isRunning) throw new Error('the pipeline has ended by itself');
    meanwhile();
    await sleep(POLL_MS);
  }
}
