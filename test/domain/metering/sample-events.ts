import { instantOf } from './instants.ts';
import { parseEvent, type ParsedEvent, type RawMessage } from '#domain/metering/parse-event.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import type { MeterDefinition, MeterVersion } from '#domain/metering/meter.ts';

export const NOON = instantOf('2026-03-01T12:00:00Z');

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The members of a valid structured event, each as JSON text, so that a test can put anything in its place. */
export const MEMBERS = {
  specversion: '"1.0"',
  id: '"e-1"',
  source: '"urn:svc:chat"',
  type: '"llm.request"',
  subject: '"acme"',
  time: '"2026-03-01T11:59:00Z"',
  data: '{"tokens":1200,"model":"m1"}',
} as const;

export type Members = Readonly<Record<string, string | undefined>>;

/** A structured event as text; a member that is undefined is left out. */
export const structured = (changes: Members = {}): string =>
  `{${Object.entries({ ...MEMBERS, ...changes })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(',')}}`;

export const message = (
  data: string | Uint8Array,
  attributes: RawMessage['attributes'] = {},
  publishTime = NOON,
): RawMessage => ({
  data: typeof data === 'string' ? utf8(data) : data,
  attributes,
  publishTime,
});

export const parse = (
  data: string | Uint8Array,
  attributes?: RawMessage['attributes'],
  publishTime = NOON,
): ParsedEvent => parseEvent('default', message(data, attributes, publishTime));

/** The event of a text that must be one. */
export function accepted(parsed: ParsedEvent): UsageEvent {
  if (parsed.refusal) throw new Error(`refused: ${parsed.refusal.reason}, ${parsed.refusal.detail}`);
  return parsed.event;
}

/** An event with this data, parsed as every other. */
export const eventWith = (data: string, changes: Members = {}): UsageEvent =>
  accepted(parse(structured({ data, ...changes })));

export const meterVersion = (
  definition: Partial<MeterDefinition> = {},
  version: Partial<MeterVersion> = {},
): MeterVersion => ({
  key: 'tokens',
  version: 1,
  generation: 1,
  state: 'active',
  since: 1,
  until: null,
  ...version,
  definition: { name: 'Tokens', eventType: 'llm.request', aggregation: 'count', ...definition },
});
