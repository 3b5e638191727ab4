import { hash } from 'node:crypto';
import type { Workload } from '../workload.ts';

/** Rows as many and as wide as ours, so that both sides ask the same of the emulators. What is in them is the straightforward thing. */

const NAMESPACE = 'default';
const HASH_BYTES = 16;
const MILLIS_PER_HOUR = 3_600_000;
const METERS = ['tokens', 'requests'] as const;
/** What a cell of a few minutes takes. */
const MINUTES = Buffer.alloc(24);

export const EVENT_TABLE = 'event';
export const HOUR_TABLE = 'usage_hour';

export const BARE_DDL = [
  `CREATE TABLE ${EVENT_TABLE} (identity BYTES(16) NOT NULL, digest BYTES(16), namespace STRING(MAX), type STRING(MAX), subject STRING(MAX),
    time TIMESTAMP, state STRING(MAX), version INT64, committedAt TIMESTAMP OPTIONS (allow_commit_timestamp = true)) PRIMARY KEY (identity)`,
  `CREATE TABLE ${HOUR_TABLE} (namespace STRING(MAX) NOT NULL, subject STRING(MAX) NOT NULL, meter STRING(MAX) NOT NULL, generation INT64 NOT NULL,
    view INT64 NOT NULL, hour INT64 NOT NULL, \`group\` STRING(MAX) NOT NULL, slot INT64 NOT NULL, totals BYTES(MAX), minutes BYTES(MAX),
    fingerprint BYTES(16), dirty BOOL) PRIMARY KEY (namespace, subject, meter, generation, view, hour, \`group\`, slot)`,
];

export interface BareEvent {
  readonly identity: Buffer;
  readonly digest: Buffer;
  readonly line: BareLine;
}

interface BareLine {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: { readonly tokens: number };
}

export interface BareHour {
  readonly subject: string;
  readonly meter: (typeof METERS)[number];
  readonly hour: number;
}

const shortHash = (text: string): Buffer => hash('sha256', text, 'buffer').subarray(0, HASH_BYTES);

export function parseBare(text: string): BareEvent {
  const line = JSON.parse(text) as BareLine;
  return { line, identity: shortHash(`${NAMESPACE} ${line.source} ${line.id}`), digest: shortHash(text) };
}

export const nameOfHour = ({ subject, meter, hour }: BareHour): string => `${subject} ${meter} ${hour}`;

export const hoursOf = ({ line: { subject, time } }: BareEvent): BareHour[] =>
  METERS.map((meter) => ({ subject, meter, hour: Math.floor(Date.parse(time) / MILLIS_PER_HOUR) }));

export const amountOf = ({ line }: BareEvent, { meter }: BareHour): bigint =>
  BigInt(meter === 'tokens' ? line.data.tokens : 1);

export const keyOfHour = ({ subject, meter, hour }: BareHour): string[] => [
  ...[NAMESPACE, subject, meter, '1', '0'],
  ...[String(hour), '', '0'],
];

export const eventRow = ({ identity, digest, line }: BareEvent) => ({
  ...{ identity, digest, namespace: NAMESPACE, type: line.type, subject: line.subject, time: line.time },
  ...{ state: 'live', version: '1', committedAt: 'spanner.commit_timestamp()' },
});

export const hourRow = ({ subject, meter, hour }: BareHour, total: bigint) => ({
  ...{ namespace: NAMESPACE, subject, meter, generation: '1', view: '0', hour: String(hour) },
  ...{ group: '', slot: '0', totals: Buffer.from(String(total)), minutes: MINUTES },
  ...{ fingerprint: Buffer.alloc(HASH_BYTES), dirty: false },
});

export const appendedRow = ({ identity, digest, line }: BareEvent, committedAt: number) => ({
  ...{ identity: identity.toString('hex'), digest: digest.toString('hex'), outcome: 'accepted' },
  ...{ namespace: NAMESPACE, id: line.id, source: line.source, type: line.type, subject: line.subject },
  time: Date.parse(line.time) * 1_000,
  data: JSON.stringify(line.data),
  attributes: null,
  published_at: committedAt,
  committed_at: committedAt,
  catalogue_version: 1,
  matched_meters: ['tokens@1', 'requests@1'],
});

/** Throws where the table does not hold the workload. */
export function checkBare(
  { distinct, tokens }: Workload,
  found: { readonly events: number; readonly totals: readonly Buffer[] },
): void {
  const total = found.totals.reduce((sum, each) => sum + BigInt(each.toString()), 0n);
  if (found.events !== distinct || total !== tokens) throw new Error('the bare loop miscounted');
}
