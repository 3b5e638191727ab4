import type { Instant } from '../instant.ts';
import type { Hash128 } from './hash128.ts';

/** A CloudEvent as Millrace understands it: parsed, named and digested. Plain data. */
export interface UsageEvent {
  readonly namespace: string;
  readonly identity: Hash128;
  readonly digest: Hash128;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** As sent; null when the event has none. */
  readonly sentTime: string | null;
  /** When it happened: the sent time, or the publish time of its message. */
  readonly time: Instant;
  /** Canonical JSON text: digest, effects and warehouse are all made from it. */
  readonly data: string;
  /** The other attributes as canonical JSON text; null when there are none. */
  readonly attributes: string | null;
  readonly publishTime: Instant;
}

/** What of an event decides whether it is taken and what it counts. */
export type EventContent = Pick<UsageEvent, 'id' | 'source' | 'type' | 'subject' | 'time' | 'data'>;
