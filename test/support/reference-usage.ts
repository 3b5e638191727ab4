import { MICROS_PER_HOUR, type Instant } from '#domain/instant.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { REFERENCE_METERS, referenceFilter } from './reference-meters.ts';
import type { PlannedCopy } from './reference-plan.ts';

/*
 * Usage counted a second time, by code that shares nothing with the product: over whole events, in plain integers of 10^-18.
 */

/** An event that counts: the content that won, and when it happened. */
export interface CountedEvent {
  readonly identity: string;
  readonly copy: PlannedCopy;
  readonly time: Instant;
}

export interface ReferenceSeries {
  /** By time and then identity. */
  readonly events: readonly CountedEvent[];
  readonly meter: MeterDefinition;
}

/** Per meter and subject, the events it counts. */
export type ReferenceUsage = ReadonlyMap<string, ReferenceSeries>;

export const seriesName = (meter: string, subject: string): string => JSON.stringify([meter, subject]);

export function countReference(events: readonly CountedEvent[]): ReferenceUsage {
  const usage = new Map<string, { events: CountedEvent[]; meter: MeterDefinition }>();
  const sorted = [...events].sort((a, b) => a.time - b.time || (a.identity < b.identity ? -1 : 1));
  for (const [key, meter] of Object.entries(REFERENCE_METERS)) {
    for (const event of sorted) {
      const { type, subject, data } = event.copy;
      if (type !== meter.eventType || !referenceFilter(key, data)) continue;
      const name = seriesName(key, subject);
      const series = usage.get(name) ?? { events: [], meter };
      usage.set(name, series);
      series.events.push(event);
    }
  }
  return usage;
}

const DECIMALS = 18;
const SCALE = 10n ** BigInt(DECIMALS);

function scaled(text: string): bigint {
  const plain = text.replaceAll('"', '');
  const [integer = '', fraction = ''] = plain.replace('-', '').split('.');
  const magnitude = BigInt(integer) * SCALE + BigInt(fraction.padEnd(DECIMALS, '0'));
  return plain.startsWith('-') ? -magnitude : magnitude;
}

export function decimal(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -DECIMALS)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Half away from zero. */
export function divide(numerator: bigint, divisor: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = magnitude / divisor + ((magnitude % divisor) * 2n >= divisor ? 1n : 0n);
  return numerator < 0n ? -rounded : rounded;
}

export interface Window {
  readonly from: Instant;
  readonly to: Instant;
}

/** What the answer for a window has to be; null where there is none. */
export function referenceValue(series: ReferenceSeries, window: Window): string | null {
  const { events, meter } = series;
  if (meter.aggregation === 'timeWeightedSum') return decimal(averageLevel(events, meter, window));
  return valueOf(
    meter,
    events.filter(({ time }) => time >= window.from && time < window.to),
  );
}

export function valueOf(meter: MeterDefinition, events: readonly CountedEvent[]): string | null {
  const texts = events.map((event) => textOf(meter, event));
  const values = meter.aggregation === 'unique' || meter.aggregation === 'count' ? [] : texts.map(scaled);
  const sum = values.reduce((total, value) => total + value, 0n);
  switch (meter.aggregation) {
    case 'count':
      return String(events.length);
    case 'unique':
      return String(new Set(texts.map((text) => text.replaceAll('"', ''))).size);
    case 'sum':
      return decimal(sum);
    case 'average':
      return values.length === 0 ? null : decimal(divide(sum, BigInt(values.length)));
    case 'min':
      return values.length === 0
        ? null
        : decimal(values.reduce((least, value) => (value < least ? value : least)));
    case 'max':
      return values.length === 0
        ? null
        : decimal(values.reduce((greatest, value) => (value > greatest ? value : greatest)));
    case 'latest':
      return values.length === 0 ? null : decimal(values.at(-1) ?? 0n);
    case 'timeWeightedSum':
      throw new Error('a level is not a matter of its window alone');
  }
}

const textOf = ({ value = '' }: MeterDefinition, { copy }: CountedEvent): string => copy.data[value] ?? '';

/** The level summed over every microsecond of the window, by its duration. */
function averageLevel(events: readonly CountedEvent[], meter: MeterDefinition, { from, to }: Window): bigint {
  let area = 0n;
  for (const event of events) {
    if (event.time >= to) break;
    area += scaled(textOf(meter, event)) * BigInt(to - Math.max(event.time, from));
  }
  return divide(area, BigInt(to - from));
}

/** The group of an event: its dimension values as the canonical JSON array that cells are named by. */
export const groupOf = ({ dimensions = {} }: MeterDefinition, { copy }: CountedEvent): string =>
  `[${Object.keys(dimensions)
    .sort()
    .map((name) => copy.data[dimensions[name] ?? ''] ?? '""')
    .join(',')}]`;

const MODULUS = 2n ** 128n;

/** The sum of the digests modulo 2^128, in hex. */
export const fingerprintOf = (events: readonly CountedEvent[]): string =>
  (events.reduce((sum, { copy }) => sum + BigInt(`0x${copy.digest}`), 0n) % MODULUS)
    .toString(16)
    .padStart(32, '0');

/** Hour -> the events in it. */
export const byHour = ({ events }: ReferenceSeries): Map<number, CountedEvent[]> =>
  Map.groupBy(events, ({ time }) => Math.floor(time / MICROS_PER_HOUR));
