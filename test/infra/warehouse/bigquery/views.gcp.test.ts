import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { connectQueries, type BigQueryPlace } from '#infra/warehouse/bigquery/connection.ts';
import { readMetadata } from '#infra/warehouse/bigquery/schema-version.ts';
import type { MeteredBy } from '#infra/warehouse/bigquery/views/usage.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { ask, eventRow, failureOf, instant, NOON } from '#test/contract/warehouse/rows.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { openTemporaryBigQuery } from './temporary.ts';

const AWKWARD = `it's "a\\ [0]$.b*`;
const METERS: readonly MeteredBy[] = [
  { namespace: 'default', label: 'calls@1', aggregation: 'count' },
  { namespace: 'default', label: 'tokens@1', aggregation: 'sum', value: 'usage.tokens' },
  { namespace: 'default', label: 'least@1', aggregation: 'min', value: 'usage.tokens' },
  { namespace: 'default', label: 'most@1', aggregation: 'max', value: 'usage.tokens' },
  { namespace: 'default', label: 'mean@1', aggregation: 'average', value: 'usage.tokens' },
  { namespace: 'default', label: 'models@1', aggregation: 'unique', value: 'model' },
  { namespace: 'default', label: 'last@1', aggregation: 'latest', value: 'usage.tokens' },
  { namespace: 'default', label: 'odd@1', aggregation: 'sum', value: AWKWARD },
  { namespace: 'default', label: 'level@1', aggregation: 'timeWeightedSum', value: 'usage.tokens' },
];
const LABELS = METERS.map(({ label }) => label);
const BIG = '99999999999999999999.999999999999999999';

const dataOf = (tokens: string, model: string): string =>
  `{"it's \\"a\\\\ [0]$":{"b*":${tokens}},"model":"${model}","usage":{"tokens":${tokens}}}`;

/** Two subjects, some minutes and two days, with a duplicate, a conflict and a void. */
function story(): EventRow[] {
  const values: [number, string, string, string][] = [
    [0, 'acme', BIG, 'm1'],
    [1, 'acme', '0.000000000000000001', 'm2'],
    [2 * MICROS_PER_MINUTE, 'acme', '-5', 'm1'],
    [3 * MICROS_PER_HOUR, 'acme', '7.50', 'm3'],
    [MICROS_PER_DAY, 'acme', '1', 'm1'],
    [0, 'beta', '2', 'm1'],
  ];
  const rows = values.map(([offset, subject, tokens, model], index) =>
    eventRow(`e-${index}`, {
      subject,
      time: NOON + offset,
      data: dataOf(tokens, model),
      matchedMeters: LABELS,
    }),
  );
  const voided = eventRow('voided', { data: dataOf('1000', 'm9'), matchedMeters: LABELS });
  return [
    ...rows,
    ...rows.slice(0, 2),
    { ...rows[0]!, outcome: 'conflict', data: dataOf('77', 'm7') },
    voided,
    { ...voided, outcome: 'void', data: null, committedAt: NOON + 9_000 },
  ];
}

const RANGE = { from: '2026-03-01T00:00:00Z', to: '2026-03-04T00:00:00Z' };

/** Usage of each meter by the named query, which the views have to agree with. */
async function asked(warehouse: Warehouse, window: string): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (const { label, aggregation, value } of METERS.filter(({ label }) => label !== 'level@1')) {
    const path = value === undefined ? {} : { value };
    const found = await ask(warehouse, 'usage_by_window', {
      ...RANGE,
      meter: label,
      aggregation,
      window,
      bySubject: true,
      ...path,
    });
    for (const row of found)
      rows.push([label, row['subject'], row['window_start'], row['events'], row['value']]);
  }
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

describe('the views of BigQuery', () => {
  const emulators = useEmulators(['bigquery']);
  let warehouse: Warehouse;
  let place: BigQueryPlace;
  let dispose: () => Promise<void>;

  before(async () => {
    ({ warehouse, place, dispose } = await openTemporaryBigQuery(emulators, METERS));
    await warehouse.appendEvents(story());
  });
  after(() => dispose?.());

  const select = async (sql: string): Promise<Record<string, unknown>[]> => {
    const [rows] = await connectQueries(place).query({ query: sql.replaceAll('DATASET', place.dataset) });
    return rows as Record<string, unknown>[];
  };

  it('of usage by minute, hour and day agree with the named query to the last digit', async () => {
    for (const window of ['minute', 'hour', 'day']) {
      const rows =
        await select(`SELECT meter, subject, FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%SZ', window_start) AS start, events,
        CAST(value AS STRING) AS value FROM DATASET.usage_${window}
        WHERE namespace = 'default' AND day >= DATE '2026-03-01' AND day < DATE '2026-03-04'`);
      const found = rows.map((row) =>
        JSON.stringify([row['meter'], row['subject'], row['start'], row['events'], row['value']]),
      );
      expect(found.toSorted()).to.deep.equal(await asked(warehouse, window));
    }
  });

  it('of exact events show each once, as the named query does', async () => {
    const expected = (await ask(warehouse, 'events_exact', RANGE)).map(({ id, data }) => [id, data]);
    const rows = await select(
      "SELECT id, data FROM DATASET.events_exact WHERE namespace = 'default' AND day >= DATE '2026-03-01' ORDER BY time, identity",
    );
    expect(rows.map(({ id, data }) => [id, data])).to.deep.equal(expected);
  });

  it('and the table have the columns that the sources of dbt name, in their order', async () => {
    const sources = readFileSync(new URL('../../../../docs/dbt/sources.yml', import.meta.url), 'utf8');
    const tables = sources.split(/^ {6}- name: /m).slice(1);
    expect(tables).to.have.length(6);
    for (const text of tables) {
      const name = /^'(\w+)'/.exec(text)?.[1] ?? '';
      const metadata = await readMetadata(connectQueries(place).dataset(place.dataset).table(name));
      const { fields } = (metadata as { schema: { fields: { name: string }[] } }).schema;
      const named = [...text.matchAll(/^ {10}- name: '(\w+)'/gm)].map(([, column]) => column);
      expect(named, name).to.deep.equal(fields.map((field) => field.name));
    }
  });

  it('for browsing have data as JSON', async () => {
    const rows = await select(
      "SELECT JSON_VALUE(data, '$.model') AS model FROM DATASET.events_json WHERE id = 'e-3' AND day = DATE '2026-03-01'",
    );
    expect(rows).to.deep.equal([{ model: 'm3' }]);
  });

  it('of usage fail where an event has no number, as the named query does', async () => {
    const day = instant('2026-05-01T12:00:00Z');
    await warehouse.appendEvents([
      eventRow('text', { time: day, data: dataOf('"many"', 'm1'), matchedMeters: ['tokens@1'] }),
    ]);
    const usage = select("SELECT value FROM DATASET.usage_day WHERE day = DATE '2026-05-01'");
    expect(String(await failureOf(usage))).to.include('no number');
  });
});
