// The DoFns of these tests: a module of its own, since workers load it by name.
import { setTimeout as delay } from 'node:timers/promises';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { register } from '#pipelines/beam/registration.ts';
import type { beam, PaneInfo, WindowedValue } from '#pipelines/beam/sdk.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import { inGlobalWindow } from '#pipelines/beam/windowed-value.ts';

/** What the DoFns below did, for tests in this process. */
export const journal: string[] = [];

/** By source it must work in a worker without our modules: no types, no captures. */
export const spin = <T>(value: T): T => {
  const until = Date.now() + 1;
  while (Date.now() < until);
  return value;
};

export const identity = <T>(value: T): T => value;
export const isOdd = (value: number): number[] => (value % 2 === 1 ? [value] : []);

export class Repeat implements SyncDoFn<number, number> {
  readonly times: number;
  constructor(times: number) {
    this.times = times;
  }
  process(value: number, emit: Emit<number>): void {
    for (let i = 0; i < this.times; i += 1) emit(value);
  }
}

/** One call that emits a lot without a pause. */
export class Burst implements SyncDoFn<number, string> {
  process(count: number, emit: Emit<string>): void {
    for (let i = 0; i < count; i += 1) emit(`${i}-${'x'.repeat(90)}`);
  }
}

export class LateEmit implements SyncDoFn<number, number> {
  private emit: Emit<number> | undefined;
  process(value: number, emit: Emit<number>): void {
    this.emit?.(value);
    this.emit = emit;
  }
  finishBundle(): void {
    this.emit?.(0);
  }
}

export class Fail implements SyncDoFn<number, number> {
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
  process(value: number, emit: Emit<number>): void {
    if (value === this.at) throw new Error(`refused ${value}`, { cause: new Error('it is forbidden') });
    emit(value);
  }
}

interface Params {
  readonly pane: { lookup(): PaneInfo };
  readonly calls: beam.Counter;
}
export class TellPane implements SyncDoFn<number, PaneInfo, Params> {
  process(_value: number, emit: Emit<PaneInfo>, { pane, calls }: Params): void {
    calls.increment(1_000_000_000);
    emit({ ...pane.lookup() });
  }
}

export class Lifecycle implements SyncDoFn<number, string> {
  private count = 0;
  setup(): void {
    journal.push('sync setup');
  }
  startBundle(): void {
    journal.push('sync start');
    this.count = 0;
  }
  process(value: number, emit: Emit<string>): void {
    this.count += 1;
    emit(`element ${value}`);
  }
  finishBundle(emit: Emit<WindowedValue<string>>): void {
    journal.push('sync finish');
    emit(inGlobalWindow(`count ${this.count}`));
  }
  teardown(): void {
    journal.push('sync teardown');
  }
}

/** A sink as ours are: it keeps elements and writes them when the bundle ends. */
export class Sink<T> implements AsyncDoFn<T, T> {
  private kept: T[] = [];
  async setup(): Promise<void> {
    await delay(0);
    journal.push('async setup');
  }
  async startBundle(): Promise<void> {
    await delay(0);
    journal.push('async start');
    this.kept = [];
  }
  process(value: T): void {
    this.kept.push(value);
  }
  async finishBundle(): Promise<WindowedValue<T>[]> {
    await delay(0);
    journal.push(`async finish ${this.kept.join(',')}`);
    return this.kept.map((value) => inGlobalWindow(value));
  }
  async teardown(): Promise<void> {
    await delay(0);
    journal.push('async teardown');
  }
}

/** Writes each element at once, and tells how many writes overlapped. */
export class Overlap implements AsyncDoFn<number, number> {
  private inFlight = 0;
  private most = 0;
  startBundle(): void {
    this.most = 0;
  }
  async process(value: number): Promise<number[]> {
    this.inFlight += 1;
    this.most = Math.max(this.most, this.inFlight);
    await delay(1);
    this.inFlight -= 1;
    return [value];
  }
  async finishBundle(): Promise<WindowedValue<number>[]> {
    return [inGlobalWindow(-this.most), inGlobalWindow(this.inFlight)];
  }
}

/** Fails at one element while others are still being written. */
export class FailWhileWriting implements AsyncDoFn<number, number> {
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
  async process(value: number): Promise<void> {
    journal.push(`write ${value}`);
    await delay(value === this.at ? 0 : 5);
    if (value === this.at) throw new Error(`the store refused ${value}`);
    journal.push(`written ${value}`);
  }
  finishBundle(): void {
    journal.push('never');
  }
}

/** Two that do not arrive whole. */
export class WithMap implements SyncDoFn<number, number> {
  readonly known = new Map([[1, 1]]);
  process(value: number, emit: Emit<number>): void {
    emit(this.known.get(value) ?? value);
  }
}
export class WithPrivate implements SyncDoFn<number, number> {
  readonly #secret = 1;
  process(value: number, emit: Emit<number>): void {
    emit(value + this.#secret);
  }
}

register('millrace/test/pipelines/beam/stages', {
  identity,
  isOdd,
  spin,
  Repeat,
  Burst,
  LateEmit,
  Fail,
  TellPane,
  Lifecycle,
  Sink,
  Overlap,
  FailWhileWriting,
  WithMap,
  WithPrivate,
});
