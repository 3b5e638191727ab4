// The DoFns of the engines' tests: a module of its own, since workers load it by name.
import { appendFileSync } from 'node:fs';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { register } from '#pipelines/beam/registration.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { PollingSource, PollResume, PollRound } from '#pipelines/beam/splittable-do-fn.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';

/** The whole numbers from `first` on, `count` of them for each input. */
export class Numbers implements SyncDoFn<number, number> {
  readonly count: number;
  constructor(count: number) {
    this.count = count;
  }
  process(first: number, emit: Emit<number>): void {
    for (let i = 0; i < this.count; i++) emit(first + i);
  }
}

export const lastDigit = (value: number): string => String(value % 10);

/** A line for each group, in the file, when the bundle ends. */
export class WriteGroups implements AsyncDoFn<Keyed<Iterable<number>>> {
  readonly path: string;
  private lines: string[] = [];
  constructor(path: string) {
    this.path = path;
  }
  startBundle(): void {
    this.lines = [];
  }
  process({ key, value }: Keyed<Iterable<number>>): void {
    const values = [...value];
    const sum = values.reduce((total, each) => total + each, 0);
    this.lines.push(JSON.stringify({ key, count: values.length, sum, pid: process.pid }));
  }
  finishBundle(): undefined {
    for (const line of this.lines) appendFileSync(this.path, `${line}\n`);
  }
}

/** Never ends: a number each round, and a line in the file. */
export class Endless implements PollingSource<string, number> {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  restriction(): string {
    return '0';
  }
  async poll({ restriction, emit }: PollRound<string, number>): Promise<PollResume> {
    const round = Number(restriction);
    appendFileSync(this.path, `${JSON.stringify({ round, pid: process.pid })}\n`);
    await emit(round, Date.now());
    return { restriction: String(round + 1), watermarkMs: Date.now(), resumeAfterMs: 100 };
  }
}

register('millrace/test/infra/engines/stages', { Numbers, lastDigit, WriteGroups, Endless });
