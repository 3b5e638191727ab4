import { isDeepStrictEqual } from 'node:util';
import type { Message } from '#infra/topic/topic.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { apply } from '#pipelines/beam/graph.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { keyedCoder, listCoder, setCoder, withCoder } from '#pipelines/beam/wire-coder.ts';
import { ParseMessages } from '#pipelines/usage/parse-messages.ts';
import { deliveryCoder, messageCoder } from '#pipelines/usage/wire-coders.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';
import type { Build, FnApiRunner, HarnessOptions, Stage } from '#test/support/fn-api-harness.ts';
import { summarise, type Figure } from './figure.ts';
import { CountGroup, PassOn } from './fn-api-stages.ts';
import { cpuMicrosOf } from './processes.ts';
import { makeWorkload } from './workload.ts';

/*
 * What crosses the Fn API in a second, and what it costs the worker: a runner in miniature gives a real worker process bundles over gRPC and takes
 * its outputs, which it leaves as they are. Elements are deliveries of workload W. Its own share of the machine is not the worker's.
 */

/** The published SDK loses elements of bundles that take longer than 100 ms; these take a fifth of that. */
const BUNDLE_ELEMENTS = 1_000;
const GROUP_DELIVERIES = 500;
/** So many different ones, again and again: the runner in miniature shares the machine, and what it holds costs it time. */
const DISTINCT_ELEMENTS = 20_000;
/** Enough that the worker never waits for the runner. */
const BUNDLES_IN_FLIGHT = 4;
const SUBJECTS = 1_000;
const NAMESPACE = 'acme';

export interface FnApiBench {
  readonly rounds: number;
  /** Elements in each round, in whole bundles. */
  readonly elements: number;
  readonly record: (figure: Figure) => void;
}

interface Case {
  readonly name: string;
  readonly harness: HarnessOptions;
  readonly build: Build;
  readonly elements: readonly unknown[];
  /** Deliveries in each element. */
  readonly weight: number;
  /** What the elements come out as. */
  readonly outputs: readonly unknown[];
}

const modules = ['millrace/bench/fn-api-stages'];
const RULE = { kind: 'fixed', namespace: NAMESPACE } as const;

function makeMessages(count: number): Message[] {
  const nowMs = Date.now();
  return makeWorkload({ events: count, subjects: SUBJECTS, now: nowMs }).lines.map((line, i) => ({
    id: `${10_000_000 + i}`,
    data: Buffer.from(line),
    attributes: {},
    publishTime: nowMs * 1_000 + i,
    attempt: 1,
    ackId: `worker-1.${i}.projects/millrace/subscriptions/usage:${i}`,
  }));
}

/** By source and without a type, as the published worker cannot load our modules. */
const bySource: Build = (source) => source.map((delivery: unknown) => delivery);

function casesOf(messages: readonly Message[]): Case[] {
  const deliveries = messages.map((message) => parseDelivery(RULE, message));
  const through = { elements: deliveries, outputs: deliveries, weight: 1 };
  const groups = Array.from({ length: Math.floor(deliveries.length / GROUP_DELIVERIES) }, (_, i) => ({
    key: `${i}`,
    value: deliveries.slice(i * GROUP_DELIVERIES, (i + 1) * GROUP_DELIVERIES),
  }));
  const passOn = syncParDo(new PassOn());
  const coded = (source: PCollection<Delivery>): PCollection<Delivery> => {
    setCoder(source, deliveryCoder);
    return apply('pass on', source, withCoder(passOn, deliveryCoder));
  };
  const parsed = (source: PCollection<Message>): PCollection<Delivery> => {
    setCoder(source, messageCoder);
    return apply('parse', source, withCoder(syncParDo(new ParseMessages(RULE)), deliveryCoder));
  };
  const counted = (source: PCollection<Keyed<readonly Delivery[]>>): PCollection<number> => {
    setCoder(source, keyedCoder(listCoder(deliveryCoder)));
    return apply('count', source, syncParDo(new CountGroup()));
  };
  return [
    { name: 'the SDK as published', harness: { stock: true, modules: [] }, build: bySource, ...through },
    {
      name: 'repaired, the general coder',
      harness: { modules },
      build: (source) => apply('pass on', source as PCollection<Delivery>, passOn),
      ...through,
    },
    { name: 'wire coders', harness: { modules }, build: coded, ...through },
    {
      name: 'wire coders, messages in, parsed deliveries out',
      harness: { modules },
      build: parsed,
      elements: messages,
      outputs: deliveries,
      weight: 1,
    },
    {
      name: `wire coders, groups of ${GROUP_DELIVERIES} in, nothing but their length out`,
      harness: { modules },
      build: counted,
      elements: groups,
      outputs: groups.map(({ value }) => value.length),
      weight: GROUP_DELIVERIES,
    },
  ];
}

async function check(
  runner: FnApiRunner,
  stage: Stage,
  { name, elements, outputs, weight }: Case,
): Promise<void> {
  const few = BUNDLE_ELEMENTS / weight;
  const bundle = await runner.run(stage, elements.slice(0, few));
  if (!isDeepStrictEqual(plain(bundle.outputs), plain(outputs.slice(0, few))))
    throw new Error(`${name}: the outputs are not what went in`);
}

/** The published SDK hands bytes on as something of its own, which is not what is measured here. */
const plain = (values: readonly unknown[]): unknown =>
  JSON.parse(
    JSON.stringify(values, (name, value: unknown) =>
      name === 'data' && typeof value !== 'string' ? null : value,
    ),
  );

const encodedBundles = (stage: Stage, { elements, weight }: Case): Uint8Array[] => {
  const size = BUNDLE_ELEMENTS / weight;
  return Array.from({ length: Math.ceil(elements.length / size) }, (_, i) =>
    stage.encode(elements.slice(i * size, (i + 1) * size)),
  );
};

interface Passing {
  readonly runner: FnApiRunner;
  readonly stage: Stage;
  readonly bundles: readonly Uint8Array[];
}

/** So many bundles, several at a time. */
async function pass({ runner, stage, bundles }: Passing, count: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await runner.exchange(stage, [bundles[next++ % bundles.length] ?? new Uint8Array()]);
  };
  await Promise.all(Array.from({ length: BUNDLES_IN_FLIGHT }, lane));
}

async function measure(
  each: Case,
  rounds: number,
  elements: number,
): Promise<{ perSecond: number[]; micros: number[] }> {
  const runner = await startFnApiRunner(each.harness);
  const stage = runner.stage(each.build);
  const figures = { perSecond: [] as number[], micros: [] as number[] };
  try {
    await check(runner, stage, each);
    const passing = { runner, stage, bundles: encodedBundles(stage, each) };
    const count = Math.ceil(elements / BUNDLE_ELEMENTS);
    await pass(passing, count);
    for (let round = 0; round < rounds; round++) {
      const [cpu, began] = [await cpuMicrosOf(runner.process.pid ?? 0), performance.now()];
      await pass(passing, count);
      figures.perSecond.push((count * BUNDLE_ELEMENTS) / ((performance.now() - began) / 1_000));
      figures.micros.push(((await cpuMicrosOf(runner.process.pid ?? 0)) - cpu) / (count * BUNDLE_ELEMENTS));
    }
    return figures;
  } finally {
    await runner.close();
  }
}

/** Elements in a second through one worker, and the worker's CPU for each, beside the SDK as it was published. */
export async function benchFnApi({ rounds, elements, record }: FnApiBench): Promise<void> {
  let published: Figure | undefined;
  for (const each of casesOf(makeMessages(DISTINCT_ELEMENTS))) {
    const { perSecond, micros } = await measure(each, rounds, elements);
    const figure = summarise(`Fn API: ${each.name}`, 'elements/s', perSecond);
    published ??= figure;
    const against =
      figure === published ? {} : { peer: published.name, ratio: figure.value / published.value };
    record({ ...figure, ...against });
    record(summarise(`Fn API: ${each.name}, CPU of the worker`, 'µs/element', micros));
  }
}
