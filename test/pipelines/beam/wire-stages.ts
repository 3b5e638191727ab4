// DoFns over elements with a coder of their own: a module of its own, since workers load it by name, and the coder with it.
import { appendFileSync } from 'node:fs';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { register } from '#pipelines/beam/registration.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import { wireCoder } from '#pipelines/beam/wire-coder.ts';
import { readTexts, writeTexts } from '#pipelines/beam/wire-text.ts';

/** No other coder takes a bigint: where it arrives, this one was used. */
export interface Reading {
  readonly meter: string;
  readonly amount: bigint;
}

export const readingCoder = wireCoder<Reading>('test-reading', {
  write: ({ meter, amount }, to) => writeTexts([meter, String(amount)], to),
  read: (from) => {
    const [meter, amount] = readTexts(from, 2);
    return { meter: meter ?? '', amount: BigInt(amount ?? 0) };
  },
});

export const METERS = 7;
const FIRST_AMOUNT = 2n ** 60n;

export class MakeReadings implements SyncDoFn<number, Keyed<Reading>> {
  readonly count: number;
  constructor(count: number) {
    this.count = count;
  }
  process(first: number, emit: Emit<Keyed<Reading>>): void {
    for (let i = first; i < first + this.count; i++) {
      const meter = `mètre-${i % METERS}`;
      emit({ key: meter, value: { meter, amount: FIRST_AMOUNT + BigInt(i) } });
    }
  }
}

export const totalOf = (readings: number): bigint =>
  BigInt(readings) * FIRST_AMOUNT + (BigInt(readings) * BigInt(readings - 1)) / 2n;

/** A line for each group. */
export class WriteTotals implements AsyncDoFn<Keyed<readonly Reading[]>> {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  process({ key, value }: Keyed<readonly Reading[]>): void {
    const total = value.reduce((sum, { amount }) => sum + amount, 0n);
    const strays = value.filter(({ meter }) => meter !== key).length;
    appendFileSync(this.path, `${JSON.stringify({ key, total: String(total), strays })}\n`);
  }
}

register('millrace/test/pipelines/beam/wire-stages', { MakeReadings, WriteTotals });
