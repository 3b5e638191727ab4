import type { Instant } from '#domain/instant.ts';
import { whatViewLacks, type ViewLacks } from '#infra/backfill/view-completeness.ts';
import type { Database } from '#infra/database/database.ts';
import type { Scheduler } from '#infra/scheduler.ts';

/** How long between two looks at what is missing: the watermark moves some times a second at best. */
const LOOK_EVERY_MS = 200;

export interface AwaitView {
  readonly database: Database;
  readonly namespace: string;
  /** A commit time. */
  readonly at: Instant;
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  /** Told what is waited for, whenever that is something else. */
  readonly onWaiting?: ((lacks: ViewLacks | undefined) => unknown) | undefined;
}

/** Resolves once the exact view has all that was committed by a time. Throws when the signal is aborted. */
export async function awaitView({
  database,
  namespace,
  at,
  scheduler,
  signal,
  onWaiting,
}: AwaitView): Promise<void> {
  let told: ViewLacks | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const lacks = await whatViewLacks(database, namespace, at);
    if (lacks !== told) await onWaiting?.(lacks);
    told = lacks;
    if (lacks === undefined) return;
    await scheduler.sleep(LOOK_EVERY_MS, signal);
  }
}
