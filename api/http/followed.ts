import type { Principal } from '#domain/access/principal.ts';
import type { Leaving } from './leaving.ts';
import type { Route } from './route.ts';

/** What is known of a request on its way. */
export interface Followed {
  readonly requestId: string;
  /** Of the monotonic clock, milliseconds. */
  readonly startedAt: number;
  readonly leaving: Leaving;
  route: Route | undefined;
  principal: Principal | undefined;
  /** What is done for it, which may go on when its client has gone. */
  work: Promise<void> | undefined;
}
