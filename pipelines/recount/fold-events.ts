import type { WindowedValue } from '#pipelines/beam/sdk.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import { inGlobalWindow } from '#pipelines/beam/windowed-value.ts';
import { createEventFold, type EventFold } from './event-fold.ts';
import type { RecountedMeter } from './match-events.ts';
import type { Recounted, RecountInput } from './recounted.ts';

const folds = new WeakMap<FoldEvents, EventFold>();

/** Says what events add to the meter, some events in one cell. */
export class FoldEvents implements SyncDoFn<RecountInput, Recounted> {
  readonly of: RecountedMeter;

  constructor(of: RecountedMeter) {
    this.of = of;
  }

  startBundle(): void {
    folds.set(this, createEventFold(this.of));
  }

  process(input: RecountInput, emit: Emit<Recounted>): void {
    if (input.kind === 'subject') return emit(input);
    const fold = foldOf(this);
    fold.add(input.events);
    for (const each of fold.take()) emit(each);
  }

  finishBundle(emit: Emit<WindowedValue<Recounted>>): void {
    for (const each of foldOf(this).end()) emit(inGlobalWindow(each));
    folds.delete(this);
  }
}

function foldOf(doFn: FoldEvents): EventFold {
  const fold = folds.get(doFn);
  if (fold === undefined) throw new Error('FoldEvents was not begun');
  return fold;
}
