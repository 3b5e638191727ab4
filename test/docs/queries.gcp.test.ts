import { readdirSync, readFileSync } from 'node:fs';
import { BigQuery } from '@google-cloud/bigquery';
import { expect } from 'chai';
import { connectQueries, type BigQueryPlace } from '#infra/warehouse/bigquery/connection.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import {
  addFingerprint,
  emptyFingerprint,
  fingerprintOf,
  fingerprintToHash,
} from '#domain/metering/fingerprint.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { eventRow, instant } from '#test/contract/warehouse/rows.ts';
import { openTemporaryBigQuery } from '#test/infra/warehouse/bigquery/temporary.ts';
import { useEmulators } from '#test/support/emulators.ts';

const FOLDER = new URL('../../docs/queries/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .map((name) => name.slice(0, -'.sql'.length));

const METERS = [
  { namespace: 'default', label: 'tokens@1', aggregation: 'sum', value: 'tokens' },
  { namespace: 'default', label: 'calls@1', aggregation: 'count' },
];

interface Given {
  readonly subject?: string;
  readonly source?: string;
  readonly lateSeconds?: number;
}

function event(id: string, time: string, data: string, given: Given = {}): EventRow {
  const { subject = 'acme', source = 'urn:svc:chat', lateSeconds = 1 } = given;
  const at = instant(time);
  return eventRow(id, {
    subject,
    source,
    time: at,
    data,
    digest: identityOf('digest', source, id),
    publishedAt: at + lateSeconds * MICROS_PER_SECOND,
    committedAt: at + (lateSeconds + 1) * MICROS_PER_SECOND,
    matchedMeters: ['calls@1', 'tokens@1'],
  });
}

const BATCH = { subject: 'beta', source: 'urn:svc:batch', lateSeconds: 7_200 };
const EVENTS = {
  a1: event('a1', '2026-03-28T22:30:00Z', '{"model":"m1","tokens":10}'),
  a2: event('a2', '2026-03-28T23:30:00Z', '{"model":"m1","tokens":20}'),
  a3: event('a3', '2026-03-29T01:30:00Z', '{"model":"m2","tokens":"0.5"}'),
  a4: event('a4', '2026-03-29T21:59:00Z', '{"model":"m2","tokens":4}'),
  a5: event('a5', '2026-03-29T22:00:00Z', '{"tokens":8}'),
  b1: event(
    'b1',
    '2026-03-29T12:00:00Z',
    '{"model":"m1","tokens":"99999999999999999999.000000000000000001"}',
    BATCH,
  ),
  b2: event('b2', '2026-03-30T12:00:00Z', '{"model":"m1","tokens":1}', BATCH),
};
const LOGIN: EventRow = {
  ...event('l1', '2026-03-29T10:00:00Z', '{}', { subject: 'beta' }),
  type: 'login',
  matchedMeters: [],
};

const correction = (row: EventRow, outcome: 'void' | 'restored', laterSeconds: number): EventRow => ({
  ...row,
  outcome,
  data: null,
  publishedAt: null,
  committedAt: row.committedAt + laterSeconds * MICROS_PER_SECOND,
  matchedMeters: [],
});

/** With copies, a conflict, a void that stays, one that was undone, and another namespace that no answer may show. */
const ROWS: readonly EventRow[] = [
  ...Object.values(EVENTS),
  LOGIN,
  EVENTS.a1,
  EVENTS.a1,
  {
    ...EVENTS.a2,
    outcome: 'conflict',
    data: '{"tokens":999}',
    matchedMeters: [],
    committedAt: EVENTS.a2.committedAt + 1,
  },
  correction(EVENTS.b2, 'void', 60),
  correction(EVENTS.a4, 'void', 60),
  correction(EVENTS.a4, 'restored', 120),
  { ...event('a1', '2026-03-28T22:30:00Z', '{"tokens":5}'), namespace: 'sandbox' },
];

function fingerprint(...rows: readonly EventRow[]): string {
  const sum = emptyFingerprint();
  for (const { digest } of rows) addFingerprint(sum, fingerprintOf(digest!));
  return toHex(fingerprintToHash(sum));
}

const { a1, a2, a3, a4, a5, b1 } = EVENTS;
const RANGE = { from: '2026-03-28T00:00:00Z', to: '2026-03-31T00:00:00Z' };
const BIG = '99999999999999999999.000000000000000001';

/** What each query is asked, and what it has to answer, row by row in the order of its columns. */
const EXPECTED: Readonly<
  Record<string, { given: Record<string, string>; rows: readonly (readonly unknown[])[] }>
> = {
  'usage-by-day': {
    given: { ...RANGE, meter: 'tokens@1' },
    rows: [
      ['acme', '2026-03-28', 2, '30', null],
      ['acme', '2026-03-29', 3, '12.5', '30'],
      ['beta', '2026-03-29', 1, BIG, null],
    ],
  },
  'usage-by-local-day': {
    given: {
      from: '2026-03-28T23:00:00Z',
      to: '2026-03-30T22:00:00Z',
      subject: 'acme',
      meter: 'tokens@1',
      timezone: 'Europe/Berlin',
    },
    rows: [
      ['2026-03-29', 3, 3, '24.5'],
      ['2026-03-30', 1, 1, '8'],
    ],
  },
  'top-subjects': {
    given: { ...RANGE, meter: 'calls@1' },
    rows: [
      ['acme', '5', 83.3],
      ['beta', '1', 16.7],
    ],
  },
  'usage-by-dimension': {
    given: { ...RANGE, meter: 'tokens@1' },
    rows: [
      ['', 1, '8'],
      ['m1', 3, '100000000000000000029.000000000000000001'],
      ['m2', 2, '4.5'],
    ],
  },
  'unmatched-events': {
    given: RANGE,
    rows: [['login', 1, 1, '2026-03-29T10:00:00.000Z', '2026-03-29T10:00:00.000Z']],
  },
  lateness: {
    given: RANGE,
    rows: [
      ['urn:svc:batch', 1, 7_200, 7_200, 7_200],
      ['urn:svc:chat', 6, 1, 1, 1],
    ],
  },
  'duplicates-and-conflicts': {
    given: RANGE,
    rows: [
      ['urn:svc:batch', 2, 0, 0],
      ['urn:svc:chat', 6, 2, 1],
    ],
  },
  'event-history': {
    given: { ...RANGE, source: 'urn:svc:chat', id: 'a4' },
    rows: [
      [
        '2026-03-29T21:59:02.000Z',
        'accepted',
        'acme',
        '2026-03-29T21:59:00.000Z',
        '2026-03-29T21:59:01.000Z',
        3,
        ['calls@1', 'tokens@1'],
        a4.data,
      ],
      ['2026-03-29T22:00:02.000Z', 'void', 'acme', '2026-03-29T21:59:00.000Z', null, 3, [], null],
      ['2026-03-29T22:01:02.000Z', 'restored', 'acme', '2026-03-29T21:59:00.000Z', null, 3, [], null],
    ],
  },
  'voided-events': {
    given: RANGE,
    rows: [['beta', 'urn:svc:batch', 'b2', '2026-03-30', '2026-03-30T14:01:01.000Z']],
  },
  fingerprints: {
    given: { ...RANGE, meter: 'tokens@1' },
    rows: [
      ['acme', 5, fingerprint(a1, a2, a3, a4, a5)],
      ['beta', 1, fingerprint(b1)],
    ],
  },
};

/** A value of the client as plain text or number, whatever class it comes in. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('value' in value) return value.value;
  return 'toFixed' in value ? (value as { toFixed(): string }).toFixed() : value;
}

async function run(place: BigQueryPlace, name: string, given: Record<string, string>): Promise<unknown[]> {
  const sql = readFileSync(new URL(`${name}.sql`, FOLDER), 'utf8').replaceAll(
    'millrace.',
    `${place.dataset}.`,
  );
  const isTime = (key: string): boolean => key === 'from' || key === 'to';
  const parameters = Object.entries({ namespace: 'default', ...given });
  const [rows] = await connectQueries(place).query({
    query: sql,
    params: Object.fromEntries(
      parameters.map(([key, value]) => [key, isTime(key) ? BigQuery.timestamp(value) : value]),
    ),
    types: Object.fromEntries(parameters.map(([key]) => [key, isTime(key) ? 'TIMESTAMP' : 'STRING'])),
  });
  return (rows as object[]).map((row) => Object.values(row).map(plain));
}

describe('the queries of the data team', () => {
  const emulators = useEmulators(['bigquery']);
  let place: BigQueryPlace;
  let dispose: () => Promise<void>;

  before(async () => {
    const opened = await openTemporaryBigQuery(emulators, METERS);
    ({ place, dispose } = opened);
    await opened.warehouse.appendEvents(ROWS);
  });
  after(() => dispose?.());

  it('are ten, each with an answer that is known', () => {
    expect(NAMES).to.have.length(10);
    expect(NAMES).to.have.members(Object.keys(EXPECTED));
  });

  for (const [name, { given, rows }] of Object.entries(EXPECTED)) {
    it(`${name} answers what the events say`, async () => {
      expect(await run(place, name, given)).to.deep.equal(rows);
    });
  }
});
