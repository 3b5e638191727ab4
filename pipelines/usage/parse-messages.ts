import type { Delivery } from '#infra/usage/delivery.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import type { Message } from '#infra/topic/topic.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';

/** Turns each message into an event or a refusal. Its one field is plain, so that it can be sent to any worker. */
export class ParseMessages implements SyncDoFn<Message, Delivery> {
  readonly namespaces: NamespaceRule;

  constructor(namespaces: NamespaceRule) {
    this.namespaces = namespaces;
  }

  process(message: Message, emit: Emit<Delivery>): void {
    emit(parseDelivery(this.namespaces, message));
  }
}
