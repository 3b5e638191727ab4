import type { UsageEvent } from '#domain/metering/event.ts';
import type { Refusal } from '#domain/metering/dead-letter.ts';
import type { KnownAttributes } from '#domain/metering/parse-event.ts';
import type { Message } from '#infra/topic/topic.ts';
import type { DeadLetterName } from './dead-letter-name.ts';

/**
 * What the parser made of one message: an event, or a refusal with what could be read. The message itself stays with it until the
 * commit, since a refused one is kept with its original bytes. Plain data: it crosses worker boundaries on portable runners.
 */
export type Delivery = Delivered &
  (
    | { readonly event: UsageEvent }
    | { readonly event?: never; readonly refusal: Refusal; readonly known: KnownAttributes }
  );

interface Delivered {
  readonly message: Message;
  readonly namespace: string;
  /** The dead letter that the message replays: the commit that takes it closes that one. */
  readonly replays?: DeadLetterName;
}
