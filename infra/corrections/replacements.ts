import { changeEvent, type ChangeRefusal } from '#domain/corrections/change-event.ts';
import type { CorrectionChange } from '#domain/corrections/correction.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';

/** The attributes in which an amendment names the event that it replaces, and the correction that made it. */
export const AMENDS_ATTRIBUTE = 'amends';
export const CORRECTION_ATTRIBUTE = 'correction';

/** What is to take an event's place, or why nothing can. */
export type Replacement =
  | { readonly old: LoadedEvent; readonly delivery: Delivery & { readonly event: UsageEvent } }
  | { readonly old: LoadedEvent; readonly refusal: Omit<ChangeRefusal, 'code'> & { readonly code: string } }
  | { readonly old: LoadedEvent; readonly unchanged: true };

/**
 * Makes the event that takes another's place. It is a function of the event and the correction alone, so whoever makes it again makes the
 * same one. It keeps source, time and the time of publishing; its id names what it replaces.
 */
export function replacementOf(
  old: LoadedEvent,
  { correction, change }: { readonly correction: string; readonly change: CorrectionChange },
): Replacement {
  const { event } = old;
  const changed = changeEvent(event, change);
  if ('refusal' in changed) return { old, refusal: changed.refusal };
  const id = `amended-${toHex(event.identity)}-${correction}`;
  const parsed = parsedAs(event, { ...changed, id, correction });
  if (parsed.event === undefined) {
    const { reason: code, detail } = parsed.refusal;
    return { old, refusal: { code, detail } };
  }
  const { type, subject, data } = parsed.event;
  if (type === event.type && subject === event.subject && data === event.data)
    return { old, unchanged: true };
  const { bytes, ...said } = parsed;
  const message = { id, data: bytes, attributes: {}, publishTime: event.publishTime, attempt: 1, ackId: '' };
  const replacing = { ...said.event, publishTime: event.publishTime };
  return { old, delivery: { message, namespace: event.namespace, event: replacing } };
}

type Changed = Pick<UsageEvent, 'id' | 'type' | 'subject' | 'data'> & { readonly correction: string };

/** Read by the parser of every event, as if it were published when it happened: how old it is was judged before. */
function parsedAs({ namespace, source, time, attributes, identity }: UsageEvent, changed: Changed) {
  const { id, type, subject, data, correction } = changed;
  const members = [
    ...Object.entries({ specversion: '1.0', id, source, type, subject, time: formatInstant(time) }).map(
      ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
    ),
    `"data":${data}`,
    ...(attributes === null || attributes === '{}' ? [] : [attributes.slice(1, -1)]),
    `${JSON.stringify(AMENDS_ATTRIBUTE)}:${JSON.stringify(toHex(identity))}`,
    `${JSON.stringify(CORRECTION_ATTRIBUTE)}:${JSON.stringify(correction)}`,
  ];
  const bytes = Buffer.from(`{${members.join(',')}}`);
  return { ...parseEvent(namespace, { data: bytes, attributes: {}, publishTime: time }), bytes };
}
