import type { Instant } from '#domain/instant.ts';
import { exact, greater, NOTHING, parse, rounded, sum, times, type Exact } from './exact.ts';
import { type Minutes, minuteOf } from './zoned-periods.ts';

/** An event as it was published. */
export interface Used {
  readonly id: string;
  readonly customer: string;
  readonly subject: string;
  readonly time: Instant;
  readonly meter: MeterKey;
  readonly value: string;
  readonly model: string;
}

export const METERS = {
  calls: { name: 'Calls', eventType: 'calls', aggregation: 'count' },
  tokens: {
    name: 'Tokens',
    eventType: 'tokens',
    aggregation: 'sum',
    value: 'value',
    dimensions: { model: 'model' },
  },
  peak: { name: 'Peak', eventType: 'peak', aggregation: 'max', value: 'value' },
  users: { name: 'Users', eventType: 'users', aggregation: 'unique', value: 'value' },
} as const;
export type MeterKey = keyof typeof METERS;
export const METER_KEYS: readonly MeterKey[] = ['calls', 'tokens', 'peak', 'users'];

/** Decimals that a quantity has. */
const DECIMALS = 18;

/** Measures the events of one meter in a part of a period. How much there was at once, or how many, counts for as long as it was so. */
export function measure(meter: string, events: readonly Used[], part: Exact): Exact {
  const values = events.map(({ value }) => value);
  switch (meter) {
    case 'calls':
      return exact(values.length);
    case 'users':
      return rounded(times(exact(new Set(values).size), part), DECIMALS);
    case 'peak':
      return rounded(times(values.map(parse).reduce(greater, NOTHING), part), DECIMALS);
    default:
      return sum(values.map(parse));
  }
}

/** Everything that was published, to be asked by customer and meter. */
export class UsageLog {
  readonly all: Used[] = [];
  readonly #byMeter = new Map<string, Used[]>();

  add(used: Used): void {
    this.all.push(used);
    const name = `${used.customer} ${used.meter}`;
    const known = this.#byMeter.get(name);
    if (known) known.push(used);
    else this.#byMeter.set(name, [used]);
  }

  of(customer: string, meter: string, { from, to }: Minutes): Used[] {
    const events = this.#byMeter.get(`${customer} ${meter}`) ?? [];
    return events.filter(({ time }) => from <= minuteOf(time) && minuteOf(time) < to);
  }
}
