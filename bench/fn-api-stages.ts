// The DoFns of the measurements over the Fn API: a module of its own, since workers load it by name.
import type { Delivery } from '#infra/usage/delivery.ts';
import { register } from '#pipelines/beam/registration.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import '#pipelines/usage/stages.ts';
import '#pipelines/usage/wire-coders.ts';

/** Does nothing, so that only the way to it and from it is measured. */
export class PassOn implements SyncDoFn<Delivery, Delivery> {
  process(delivery: Delivery, emit: Emit<Delivery>): void {
    emit(delivery);
  }
}

export class CountGroup implements SyncDoFn<{ readonly value: readonly Delivery[] }, number> {
  process({ value }: { readonly value: readonly Delivery[] }, emit: Emit<number>): void {
    emit(value.length);
  }
}

register('millrace/bench/fn-api-stages', { PassOn, CountGroup });
