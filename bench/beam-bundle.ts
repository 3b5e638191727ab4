// What the SDK's operators cost above the bare function calls: one bundle after another through two DoFns, as in the usage pipeline.
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { createBundleEngine } from '#pipelines/beam/bundle-engine.ts';
import { apply } from '#pipelines/beam/graph.ts';
import { register } from '#pipelines/beam/registration.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { beam } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';

interface Event {
  readonly id: string;
  readonly amount: number;
}

const BUNDLE_ELEMENTS = 20_000;
const WARM_UP_BUNDLES = 30;
const MEASURED_BUNDLES = 100;
const ROUNDS = 5;
const NANOS_PER_MS = 1_000_000;

/** Work that cannot be optimised away, and is the same on every path. */
const matched = (event: Event): Event => ({ id: event.id, amount: event.amount + 1 });

class MatchEvents implements SyncDoFn<Event, Event> {
  process(event: Event, emit: Emit<Event>): void {
    emit(matched(event));
  }
}
class MatchEventsGenerated {
  *process(event: Event): Generator<Event> {
    yield matched(event);
  }
}
class KeepEvents implements AsyncDoFn<Event> {
  private kept: Event[] = [];
  startBundle(): void {
    this.kept = [];
  }
  process(event: Event): void {
    this.kept.push(event);
  }
  async finishBundle(): Promise<void> {
    await Promise.resolve(this.kept.length);
  }
}
register('millrace/bench/beam-bundle', { MatchEvents, MatchEventsGenerated, KeepEvents });

async function bare(events: readonly Event[]): Promise<void> {
  const kept: Event[] = [];
  for (const event of events) kept.push(matched(event));
  await Promise.resolve(kept.length);
}

async function nanosPerElement(run: (events: readonly Event[]) => Promise<void>): Promise<number> {
  const events = Array.from({ length: BUNDLE_ELEMENTS }, (_, i) => ({ id: `e${i}`, amount: i }));
  for (let i = 0; i < WARM_UP_BUNDLES; i += 1) await run(events);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = process.cpuUsage();
    for (let i = 0; i < MEASURED_BUNDLES; i += 1) await run(events);
    const { user, system } = process.cpuUsage(began);
    rounds.push(((user + system) * 1_000) / (MEASURED_BUNDLES * BUNDLE_ELEMENTS));
  }
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN;
}

const ours = (source: PCollection<Event>): void => {
  const events = apply('match', source, syncParDo(new MatchEvents()));
  apply('keep', events, asyncParDo(new KeepEvents()));
};
const stock = (source: PCollection<Event>): void => {
  const events = apply('match', source, beam.parDo<Event, Event>(new MatchEventsGenerated()));
  apply('keep', events, asyncParDo(new KeepEvents()));
};

/** CPU of this process in ns an element, the median of rounds: bare calls, our operators, and the SDK's own ParDo with a generator. */
export async function measureBundles(): Promise<{
  bare: number;
  engine: number;
  stock: number;
  emptyBundleNanos: number;
}> {
  const engine = createBundleEngine(ours);
  const stockEngine = createBundleEngine(stock);
  const figures = {
    bare: await nanosPerElement(bare),
    engine: await nanosPerElement((events) => engine.run(events)),
    stock: await nanosPerElement((events) => stockEngine.run(events)),
  };
  const began = performance.now();
  for (let i = 0; i < MEASURED_BUNDLES; i += 1) await engine.run([]);
  const emptyBundleNanos = ((performance.now() - began) * NANOS_PER_MS) / MEASURED_BUNDLES;
  await engine.close();
  await stockEngine.close();
  return { ...figures, emptyBundleNanos };
}

if (import.meta.main) {
  const { bare: bareNanos, engine, stock: stockNanos, emptyBundleNanos } = await measureBundles();
  console.log(`bare calls            ${bareNanos.toFixed(0)} ns an element`);
  console.log(
    `our operators         ${engine.toFixed(0)} ns an element (+${(engine - bareNanos).toFixed(0)})`,
  );
  console.log(
    `the SDK's ParDo       ${stockNanos.toFixed(0)} ns an element (+${(stockNanos - bareNanos).toFixed(0)})`,
  );
  console.log(`a bundle of nothing   ${(emptyBundleNanos / 1_000).toFixed(0)} µs`);
}
