import type { Refusal } from './dead-letter.ts';

/** The attributes found, before they are judged. `null` is an attribute that is not set. */
export interface Envelope {
  specversion: string | null;
  id: string | null;
  source: string | null;
  type: string | null;
  subject: string | null;
  time: string | null;
  datacontenttype: string | null;
  data: string;
  others: [string, string][] | undefined;
  /** What is wrong with the last value of an attribute, by its name: of duplicate keys the last wins here, too. */
  faults: Map<string, Refusal> | undefined;
  /** All of it is printable ASCII with nothing escaped, so that names need only their length judged. */
  plain: boolean;
}

export const emptyEnvelope = (): Envelope => ({
  specversion: null,
  id: null,
  source: null,
  type: null,
  subject: null,
  time: null,
  datacontenttype: null,
  data: 'null',
  others: undefined,
  faults: undefined,
  plain: false,
});

/** The attributes of the standard, and the data: what an envelope may hold by a name of its own. */
export const STANDARD_NAMES = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'data',
] as const;

export type TextAttribute = Exclude<(typeof STANDARD_NAMES)[number], 'data'>;

/** One store for each name: a computed property would cost the hot path more than the whole switch. */
export function setText(envelope: Envelope, name: TextAttribute, value: string | null): void {
  switch (name) {
    case 'specversion':
      envelope.specversion = value;
      return;
    case 'id':
      envelope.id = value;
      return;
    case 'source':
      envelope.source = value;
      return;
    case 'type':
      envelope.type = value;
      return;
    case 'subject':
      envelope.subject = value;
      return;
    case 'time':
      envelope.time = value;
      return;
    case 'datacontenttype':
      envelope.datacontenttype = value;
  }
}

export const invalid = (name: string, fault: string): Refusal => ({
  reason: 'attribute_invalid',
  detail: `${name} ${fault}`,
});
