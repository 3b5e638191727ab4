import type { Instant } from '#domain/instant.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { UsageError } from './terminal.ts';

/** Who changes something by hand, when and why, as it is recorded with the change. */
export interface CommandOrigin {
  readonly principal: string;
  readonly reason: string;
  readonly now: Instant;
}

/** Throws `UsageError` where no reason was given. */
export function commandOrigin(principal: string, reason: string | undefined): CommandOrigin {
  if (reason === undefined || reason === '')
    throw new UsageError('--reason is missing: it is kept with what is changed');
  return { principal, reason, now: systemScheduler.now() };
}
