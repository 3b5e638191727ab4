import { expect } from 'chai';
import { MICROS_PER_DAY, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { toHex } from '#domain/metering/hash128.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { QueryParameters, Warehouse } from '#infra/warehouse/warehouse.ts';
import { ask, at, eventRow, NOON } from '#test/contract/warehouse/rows.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { openTemporaryWarehouse } from '../embedded/temporary.ts';
import { openTemporaryBigQuery } from './temporary.ts';

const EVENTS = 250;
const VALUES = [
  '0',
  '1',
  '-2.5',
  '0.1',
  '99999999999999999999.999999999999999999',
  '"0.000000000000000001"',
  '"12.50"',
];
const METERS = ['calls@1', 'tokens@1', 'tokens@2'];

/** Events of some days with everything that happens to events: copies, conflicts, voids before and after, restores. */
function story(seed: number): EventRow[] {
  const { below, chance, pick } = seededRandom(seed);
  return Array.from({ length: EVENTS }).flatMap((_, index) => {
    const committedAt = NOON + below(4 * MICROS_PER_DAY);
    const row = eventRow(`e-${index}`, {
      digest: identityOf('digest', String(seed), String(index)),
      subject: pick(['acme', 'beta', 'Zürich/7']),
      type: pick(['llm.request', 'llm.batch']),
      time: NOON + below(3 * MICROS_PER_DAY) - below(MICROS_PER_MINUTE),
      data: `{"model":${pick(['"m1"', '"m2"', 'null', '3', '["a",1.5]'])},"tokens":${pick(VALUES)}}`,
      publishedAt: pick([null, NOON, NOON + 1]),
      committedAt,
      matchedMeters: METERS.filter(() => chance(0.7)),
    });
    const copy: EventRow = { ...row, publishedAt: NOON + 10 + below(10) };
    const voided: EventRow = {
      ...row,
      outcome: 'void',
      data: null,
      committedAt: committedAt + below(1_000) - 300,
    };
    const restored: EventRow = {
      ...voided,
      outcome: 'restored',
      committedAt: voided.committedAt + below(1_000) - 500,
    };
    const conflict: EventRow = { ...row, outcome: 'conflict', data: '{"tokens":7}', matchedMeters: [] };
    return [row, copy, voided, restored, conflict].filter((each) => each === row || chance(0.2));
  });
}

const windows = ['minute', 'hour', 'day', 'none'];
const aggregations = ['count', 'sum', 'min', 'max', 'average', 'unique', 'latest'];

function questions(rows: readonly EventRow[]): [string, QueryParameters][] {
  const narrow = {
    from: at(NOON + MICROS_PER_DAY),
    to: at(NOON + 2 * MICROS_PER_DAY + 1),
    subjects: ['Zürich/7', 'acme'],
  };
  const asOf = { at: at(NOON + 2 * MICROS_PER_DAY) };
  const filters: QueryParameters[] = [
    {},
    narrow,
    asOf,
    { meters: ['tokens@2', 'calls@1'] },
    { shard: 1, shards: 3 },
    { type: 'llm.batch', ...narrow, ...asOf },
  ];
  return [
    ...filters.flatMap((filter): [string, QueryParameters][] => [
      ['events_exact', filter],
      ['metered_events', filter],
      ['outcomes', filter],
      ...windows.map((window): [string, QueryParameters] => ['fingerprints', { ...filter, window }]),
    ]),
    ...aggregations.flatMap((aggregation, index): [string, QueryParameters][] => {
      const value: QueryParameters = aggregation === 'count' ? {} : { value: 'tokens' };
      const question = { aggregation, meter: 'tokens@1', ...value };
      return [
        [
          'usage_by_window',
          { ...question, window: windows[index % windows.length] ?? 'none', bySubject: true },
        ],
        ['usage_by_window', { ...question, ...narrow, ...asOf, dimensions: ['model', 'missing.member'] }],
      ];
    }),
    ['fingerprints', { meter: 'tokens@2' }],
    ['events_exact', { identity: toHex(rows[0]!.identity) }],
    ['metered_events', { limit: 17, afterTime: at(rows[1]!.time), afterIdentity: toHex(rows[1]!.identity) }],
  ];
}

describe('BigQuery and the embedded warehouse', () => {
  const emulators = useEmulators(['bigquery']);
  const opened: { dispose: () => Promise<void> }[] = [];
  after(async () => {
    for (const { dispose } of opened) await dispose();
  });

  const keep = async <Opened extends { warehouse: Warehouse; dispose: () => Promise<void> }>(
    opening: Promise<Opened>,
  ): Promise<Warehouse> => {
    const each = await opening;
    opened.push(each);
    return each.warehouse;
  };

  it('answer every question alike, row by row and digit by digit', async () => {
    const embedded = await keep(openTemporaryWarehouse());
    const bigquery = await keep(openTemporaryBigQuery(emulators));
    const rows = story(20_260_301);
    await embedded.appendEvents(rows);
    await bigquery.appendEvents(rows);
    for (const [name, parameters] of questions(rows)) {
      const expected = await ask(embedded, name, parameters);
      expect(await ask(bigquery, name, parameters), `${name} ${JSON.stringify(parameters)}`).to.deep.equal(
        expected,
      );
      expect(expected, `${name} ${JSON.stringify(parameters)}`).not.to.be.empty;
    }
  });
});
