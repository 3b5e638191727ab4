import { parseEvent } from '#domain/metering/parse-event.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { Message } from '#infra/topic/topic.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';

/** Turns each message into an event or a refusal. Its one field is plain, so that it can be sent to any worker. */
export class ParseMessages implements SyncDoFn<Message, Delivery> {
  /** Comes from the feed, never from the message. */
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  process(message: Message, emit: Emit<Delivery>): void {
    const parsed = parseEvent(this.namespace, message);
    emit(
      parsed.event
        ? { message, event: parsed.event }
        : { message, refusal: parsed.refusal, known: parsed.known },
    );
  }
}
