import type { MeterDefinition } from '#domain/metering/meter.ts';
import { mix } from './mix.ts';

/** Workload W: events of some 170 bytes over 24 hours in arrival order with five minutes of jitter, subjects uniform, 5 % sent twice. */
export interface Workload {
  readonly lines: readonly string[];
  readonly distinct: number;
  readonly tokens: bigint;
}

const DAY_MS = 86_400_000;
const JITTER_MS = 300_000;
const DUPLICATES = 0.05;
/** Re-sends come within so many events of the first. */
const RESEND_WITHIN = 100_000;

export const WORKLOAD_METERS: Readonly<Record<string, MeterDefinition>> = {
  tokens: { name: 'Tokens', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' },
  requests: { name: 'Requests', eventType: 'llm.request', aggregation: 'count' },
};

/** Ids are random, as UUIDs are: that is what makes a table of identities expensive. */
export function makeWorkload({
  events,
  subjects,
  now,
}: {
  events: number;
  subjects: number;
  now: number;
}): Workload {
  const lines: string[] = [];
  const start = now - DAY_MS;
  let tokens = 0n;
  let distinct = 0;
  for (let index = 0; index < events; index++) {
    const earlier =
      index > 1_000 && mix(index) / 0x1_0000_0000 < DUPLICATES
        ? index - 1 - (mix(index * 5 + 1) % Math.min(index, RESEND_WITHIN))
        : index;
    const resent = lines[earlier];
    if (earlier !== index && resent !== undefined) {
      lines.push(resent);
      continue;
    }
    const amount = 1 + (mix(index * 3 + 2) % 4_000);
    tokens += BigInt(amount);
    distinct++;
    const time = new Date(
      start + Math.floor((index / events) * DAY_MS) - (mix(index * 7 + 3) % JITTER_MS),
    ).toISOString();
    lines.push(
      `{"specversion":"1.0","id":"${uuid(index)}","source":"urn:svc","type":"llm.request","subject":"s-${mix(index * 11 + 4) % subjects}","time":"${time}","data":{"tokens":${amount}}}`,
    );
  }
  return { lines, distinct, tokens };
}

function uuid(index: number): string {
  const word = (salt: number): string =>
    mix(index + salt)
      .toString(16)
      .padStart(8, '0');
  const [a, b, c, d] = [word(0x1000_0000), word(0x2000_0000), word(0x3000_0000), word(0x4000_0000)];
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
}
