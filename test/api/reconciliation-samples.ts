import { expect } from 'chai';
import { commitTimestamp } from '#infra/database/table.ts';
import { appendParked } from '#infra/usage/tables.ts';
import type { TestApi } from '#test/support/api-server.ts';
import type { Samples } from './samples.ts';

const METER = { name: 'Told', eventType: 'told', aggregation: 'sum', value: 'v' };
const DAY_MS = 86_400_000;
const IDENTITY = 'e788bbf0ec7c0aa80738a96dec5d34a1';

async function make(
  on: TestApi,
  method: string,
  path: string,
  body: unknown,
): Promise<Record<string, unknown>> {
  const answer = await on.call({ method, path, body });
  expect(answer.status, `${method} ${path}: ${answer.text}`).to.be.oneOf([200, 201]);
  return answer.body as Record<string, unknown>;
}

/** Samples of backfills, reconciliations and parked appends. */
export async function prepareReconciliations(on: TestApi): Promise<Samples> {
  await make(on, 'PUT', '/v1/meters/told', METER);
  await make(on, 'PUT', '/v1/meters/told', { ...METER, aggregation: 'max' });
  await make(on, 'POST', '/v1/meters/told/versions/2/backfill', { reason: 'a sample' });
  const to = Date.now();
  const days = { from: new Date(to - DAY_MS).toISOString(), to: new Date(to).toISOString() };
  const { id } = await make(on, 'POST', '/v1/reconciliations', { ...days, meters: ['told'] });
  await park(on);
  return {
    backfillMeterVersion: { path: { key: 'told', version: '2' }, body: { reason: 'again' } },
    getMeterBackfill: { path: { key: 'told', version: '2' } },
    createReconciliation: {
      body: { ...days, meters: ['told'], subjects: ['acme'], repair: true, reason: 'a sample' },
    },
    listReconciliations: { query: 'limit=1' },
    getReconciliation: { path: { id: String(id) } },
    listReconciliationDifferences: { path: { id: String(id) }, query: 'limit=1' },
    listParkedAppends: { query: 'limit=1' },
    appendParkedRows: { body: { identities: [IDENTITY], reason: 'a sample' } },
  };
}

/** A row that some earlier release of a warehouse had refused. */
async function park({ stores }: TestApi): Promise<void> {
  const time = new Date().toISOString();
  const row = {
    ...{ identity: IDENTITY, digest: IDENTITY, outcome: 'accepted', namespace: 'default', id: 'e-parked' },
    ...{ source: 'urn:sample', type: 'told', subject: 'parked', time, data: '{"v":1}', attributes: null },
    ...{ published_at: time, committed_at: time, catalogue_version: 1, matched_meters: [] },
  };
  await stores.database.transact(async (tx) =>
    tx.upsert(appendParked, {
      identity: Buffer.from(IDENTITY, 'hex').toString('latin1'),
      namespace: 'default',
      subject: 'parked',
      row,
      error: 'too_long',
      parkedAt: commitTimestamp,
    }),
  );
}
