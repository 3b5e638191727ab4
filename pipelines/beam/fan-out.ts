import './compat.ts';
import { register } from './registration.ts';
import { beam } from './sdk.ts';
import type { PCollection, Transform } from './sdk.ts';
import { syncParDo } from './sync-do-fn.ts';
import type { Emit, SyncDoFn } from './sync-do-fn.ts';

type Root = InstanceType<typeof beam.Root>;

/** The one element, without content, that every pipeline of a distributed runner begins with. */
export const impulse = (root: Root): PCollection<Uint8Array> => root.apply(beam.impulse());

export class FanOut<T> implements SyncDoFn<unknown, T> {
  readonly elements: readonly T[];
  constructor(elements: readonly T[]) {
    this.elements = elements;
  }
  process(_element: unknown, emit: Emit<T>): void {
    for (const element of this.elements) emit(element);
  }
}

/** Each of these for every input element: `fanOut(readers)` behind `impulse(root)` is what a source is applied to. */
export const fanOut = <T>(elements: readonly T[]): Transform<unknown, T> => syncParDo(new FanOut(elements));

register('millrace/pipelines/beam/fan-out', { FanOut });
