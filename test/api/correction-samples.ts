import { createCorrection } from '#infra/corrections/corrections.ts';
import { prepareCorrection } from '#infra/corrections/prepare-correction.ts';
import { correction, openCorrection, type CorrectionState } from '#infra/corrections/tables.ts';
import { createImport, preparePart, putPart } from '#infra/imports/imports.ts';
import { stagedImport, type ImportState } from '#infra/imports/tables.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { TestApi } from '#test/support/api-server.ts';
import type { Samples } from './samples.ts';

const FILTER = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z', type: 'llm.request' };

/** A correction in some state that nobody goes on with. */
async function standing({ stores: { database } }: TestApi, state: CorrectionState): Promise<string> {
  const now = systemScheduler.now();
  const prepared = await prepareCorrection(database, {
    namespace: 'default',
    action: 'void',
    filter: { from: 0, to: 1 },
  });
  const { result } = await database.transact(async (tx) => {
    const row = createCorrection(tx, prepared, { principal: 'sample', reason: 'a sample', now });
    const held = { ...row, state, worker: 'nobody', leaseUntil: now * 2, createdAt: now - 1 };
    tx.upsert(correction, held);
    tx.delete(openCorrection, [row.namespace, row.id]);
    return row;
  });
  return result.id;
}

const EVENT =
  '{"specversion":"1.0","id":"old","source":"urn:old","type":"llm.request","subject":"acme","time":"2024-01-01T00:00:00Z","data":{"tokens":5}}';

/** An import with a part, in some state that nobody goes on with. */
async function staged({ stores: { database } }: TestApi, state: ImportState): Promise<string> {
  const now = systemScheduler.now();
  const origin = { principal: 'sample', reason: 'a sample', now };
  const { result: row } = await database.transact(async (tx) => createImport(tx, 'default', origin));
  const name = { namespace: 'default', id: row.id };
  const part = await preparePart(database, { ...name, part: 1 }, Buffer.from(EVENT));
  await database.transact((tx) => putPart(tx, part));
  await database.transact(async (tx) => {
    tx.upsert(stagedImport, { ...row, state, worker: 'nobody', leaseUntil: now * 2, changedAt: now - 1 });
  });
  return row.id;
}

/** A correction and an import for each call that changes one. */
export async function prepareCorrections(on: TestApi): Promise<Samples> {
  const [going, ended] = [await standing(on, 'applying'), await standing(on, 'applied')];
  const staging = await staged(on, 'staging');
  const [applying, applied] = [await staged(on, 'applying'), await staged(on, 'applied')];
  const reason = 'sent in the wrong unit';
  return {
    createCorrection: {
      query: 'preview=true',
      body: {
        action: 'amend',
        filter: { ...FILTER, where: 'data.tokens > 0' },
        change: { multiply: [{ path: 'tokens', by: '0.001' }], data: { unit: 'k' } },
        reason,
      },
    },
    listCorrections: { query: 'limit=1' },
    getCorrection: { path: { id: going } },
    cancelCorrection: { path: { id: going }, body: { reason } },
    undoCorrection: { path: { id: ended }, body: { reason } },
    createImport: { body: { reason } },
    listImports: { query: 'limit=1' },
    getImport: { path: { id: staging } },
    putImportPart: {
      path: { id: staging, part: '2' },
      body: EVENT,
      headers: { 'content-type': 'application/x-ndjson' },
    },
    applyImport: { path: { id: applied }, body: { reason, skipRefused: true } },
    cancelImport: { path: { id: applying }, body: { reason } },
    undoImport: { path: { id: applied }, body: { reason } },
    listAuditEntries: { query: 'targetKind=correction&target=' + ended },
  };
}
