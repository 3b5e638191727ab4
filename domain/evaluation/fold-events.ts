import { parseRfc3339 } from '../calendar/rfc3339.ts';
import type { Instant } from '../instant.ts';
import { groupByIdentity, layOut, type Batch, type Candidate, type Copy } from '../metering/batch.ts';
import { compileCatalogue, type Catalogue } from '../metering/catalogue.ts';
import type { Refusal } from '../metering/dead-letter.ts';
import { matchEvent } from '../metering/effects.ts';
import type { UsageEvent } from '../metering/event.ts';
import { HASH128_BYTES, type Hash128 } from '../metering/hash128.ts';
import { parseEvent } from '../metering/parse-event.ts';
import { ANY_EVENT_TYPE, definitionOf } from './check-evaluation.ts';
import type { EvaluatedEvent, Evaluation, EvaluationQuery, EventTally, RefusedEvent } from './evaluation.ts';

const METER_KEY = 'evaluated';
const CATALOGUE_VERSION = 1;
/** What an event is taken for where it leaves something out. */
const SOURCE = 'evaluation';
const SUBJECT = 'subject';

export interface FoldedEvents {
  /** Laid out and applied: what their cells hold adds up to what the events come to. */
  readonly batches: readonly Batch[];
  readonly events: EventTally;
}

/** Events that are folded together, as a commit would. Cells of several batches add up, so that one may be folded at a time. */
const EVENTS_PER_BATCH = 500;

/**
 * Reads, matches and folds the events as commits would. One step an event, since a filter may have much to look at in each.
 * `levelFrom` is where the range begins: with an initial level, what happened before is not folded.
 */
export function* foldEvents(evaluation: Evaluation, levelFrom: Instant): Generator<void, FoldedEvents> {
  const catalogue = catalogueOf(evaluation);
  const copies: Copy[] = [];
  const refused: RefusedEvent[] = [];
  let notStored = 0;
  for (let index = 0; index < evaluation.events.length; index++) {
    yield;
    const copy = copyOf(evaluation, catalogue, index);
    if (copy === undefined) notStored++;
    else if ('reason' in copy) refused.push({ index, ...copy });
    else copies.push(copy);
  }
  const candidates = groupByIdentity(copies);
  const { initialLevel } = evaluation.query;
  const counting =
    initialLevel === undefined ? candidates : candidates.filter(({ first }) => first.event.time >= levelFrom);
  const batches: Batch[] = [];
  for (let at = 0; at < counting.length; at += EVENTS_PER_BATCH) {
    yield;
    const batch = layOut(counting.slice(at, at + EVENTS_PER_BATCH));
    batch.candidates.forEach((_, index) => batch.apply(index));
    batches.push(batch);
  }
  return { batches, events: { ...tallyOf(candidates), notStored, refused } };
}

function catalogueOf({ namespace, meter }: Evaluation): Catalogue {
  return compileCatalogue(namespace, CATALOGUE_VERSION, [
    {
      key: METER_KEY,
      version: 1,
      generation: 1,
      definition: definitionOf(meter),
      state: 'active',
      since: CATALOGUE_VERSION,
      until: null,
    },
  ]);
}

/** An event with what it does, or why it is refused; `undefined` when it was not stored in the asked time. */
function copyOf(evaluation: Evaluation, catalogue: Catalogue, index: number): Copy | Refusal | undefined {
  const given = evaluation.events[index];
  if (given === undefined) throw new RangeError(`no event ${index}`);
  const stored = storedAt(given);
  if (stored === undefined) return TIMELESS;
  if (!isStoredWithin(evaluation.query, stored)) return undefined;
  const event = readEvent(evaluation, given, index);
  if ('reason' in event) return event;
  const matched = matchEvent(catalogue, event);
  if (matched.refusal) return matched.refusal;
  return { event: { ...event, publishTime: stored }, effects: matched.effects, messageId: placeOf(index) };
}

const TIMELESS: Refusal = {
  reason: 'attribute_invalid',
  detail: 'needs an RFC 3339 time with an offset, or the time it was stored, between the years 1685 and 2255',
};

/** Undefined when neither time can be read exactly. */
function storedAt(given: EvaluatedEvent): Instant | undefined {
  const happened = given.time === undefined ? given.storedAt : parseRfc3339(given.time)?.at;
  const stored = given.storedAt ?? happened;
  return Number.isSafeInteger(happened) && Number.isSafeInteger(stored) ? stored : undefined;
}

const isStoredWithin = ({ storedFrom, storedBefore }: EvaluationQuery, stored: Instant): boolean =>
  (storedFrom === undefined || stored >= storedFrom) && (storedBefore === undefined || stored < storedBefore);

/** Reads an event by the rules of a message. Its age is not judged: there is no message that it could be too old for. */
function readEvent(
  { namespace, meter }: Evaluation,
  given: EvaluatedEvent,
  index: number,
): UsageEvent | Refusal {
  const { id, source = SOURCE, subject = SUBJECT, time, data } = given;
  const type = meter.eventType === undefined ? ANY_EVENT_TYPE : (given.type ?? meter.eventType);
  const parsed = parseEvent(namespace, {
    attributes: {
      'ce-specversion': '1.0',
      'ce-id': id ?? String(index),
      'ce-source': source,
      'ce-type': type,
      'ce-subject': subject,
      ...(time === undefined ? {} : { 'ce-time': time }),
    },
    data: Buffer.from(data, 'utf8'),
    publishTime: (time === undefined ? given.storedAt : parseRfc3339(time)?.at) ?? NaN,
  });
  if (parsed.refusal) return parsed.refusal;
  return id === undefined ? { ...parsed.event, identity: placeOf(index) } : parsed.event;
}

/** The identity of an event without an id: its place in the list, so that of two at one instant the later one is the latest. */
const placeOf = (index: number): Hash128 => String(index).padStart(HASH128_BYTES, '0');

function tallyOf(candidates: readonly Candidate[]): Omit<EventTally, 'notStored' | 'refused'> {
  const tally = { counted: 0, duplicates: 0, conflicts: 0, unmatched: 0 };
  for (const { first, others } of candidates) {
    if (first.effects.length > 0) tally.counted++;
    else tally.unmatched++;
    for (const { event } of others) {
      if (event.digest === first.event.digest) tally.duplicates++;
      else tally.conflicts++;
    }
  }
  return tally;
}
