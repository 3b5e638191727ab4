import type { Refusal } from '#domain/metering/dead-letter.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import { judgeMessage, judgeRead, type KnownAttributes } from '#domain/metering/parse-event.ts';
import type { EventContent } from '#domain/metering/event.ts';
import type { Instant } from '#domain/instant.ts';
import type { LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { judgeSchema } from '#infra/usage/match-deliveries.ts';
import type { SentEvent } from './sent-event.ts';

/** What became of one event of a request. */
export interface JudgedEvent {
  readonly sent: SentEvent;
  readonly source: string | null;
  readonly id: string | null;
  readonly refusal: Refusal | undefined;
  /** What was read of it is printable ASCII without anything escaped. */
  readonly isPlain: boolean;
}

export interface JudgingContext {
  /** Stands for the publish time, which comes a moment later. */
  readonly now: Instant;
  /** Undefined where none is known now: what it would refuse becomes a dead letter. */
  readonly catalogue: LoadedCatalogue | undefined;
}

/** Judges an event by the parser and the rules of the pipeline, so that what is accepted here is refused there only after a change. */
export function judgeSent(sent: SentEvent, { now, catalogue }: JudgingContext): JudgedEvent {
  const { data, attributes, envelope } = sent;
  const message = { data, attributes, publishTime: now };
  const parsed = envelope === undefined ? judgeMessage(message) : judgeRead(envelope, message);
  if (parsed.event === undefined) return judged(sent, parsed.known, sent.refusal ?? parsed.refusal);
  return judged(sent, parsed.event, sent.refusal ?? (catalogue && refusalBy(catalogue, parsed.event)));
}

const judged = (
  sent: SentEvent,
  { source, id }: Pick<KnownAttributes, 'source' | 'id'>,
  refusal: Refusal | undefined,
): JudgedEvent => ({ sent, source, id, refusal, isPlain: sent.envelope?.plain === true });

const refusalBy = (catalogue: LoadedCatalogue, event: EventContent): Refusal | undefined =>
  judgeSchema(catalogue, event).refusal ?? matchEvent(catalogue.current, event).refusal;
