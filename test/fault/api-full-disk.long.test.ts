import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { SCOPES } from '#domain/access/scope.ts';
import { createApiKey } from '#infra/access/api-keys.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { startApiProcess, type ApiProcess } from '#test/support/api-process.ts';
import { callApi, type ApiAnswer } from '#test/support/api-server.ts';
import { drained, inLocalDirectory, NAMESPACE, openStores, saveMeters } from '#test/support/local-stores.ts';
import { startPipeline } from '#test/support/pipeline-process.ts';

/** The first page of a file only: every write of a database, a log or a segment fails. */
const NO_ROOM_BYTES = 4_096;
const BATCHES = 20;
const BATCH = 10;

/** Bounds the files that a running process may write: beyond it a write fails as on a disk that has no more to give. */
const limitFiles = ({ pid }: ApiProcess, bytes: number | 'unlimited'): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);

const batchOf = (name: string): object[] =>
  Array.from({ length: BATCH }, (_, at) => ({
    specversion: '1.0',
    id: `${name}-${at}`,
    source: 'urn:disk',
    type: 'call',
    subject: 'acme',
  }));

describe('the API on a full disk', () => {
  it('answers 503 and stays alive, reads on, and goes on once there is room: each event counted once', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const stores = await openStores(directory);
      cleanup.defer(() => stores.close());
      await saveMeters(stores, { calls: { name: 'Calls', eventType: 'call', aggregation: 'count' } });
      const { result } = await stores.database.transact((tx) =>
        createApiKey(tx, { namespace: NAMESPACE, name: 'disk', scopes: SCOPES, now: systemScheduler.now() }),
      );
      const api = startApiProcess({ directory });
      cleanup.defer(() => api.kill());
      const url = await api.ready;
      const call = (method: string, path: string, body?: object): Promise<ApiAnswer> =>
        callApi(url, result.secret, { method, path, ...(body && { body }) });
      const change = (name: string): Promise<ApiAnswer> => call('PUT', `/v1/features/${name}`, { name });
      const names = Array.from({ length: BATCHES }, (_, at) => `batch-${at}`);
      const postAll = (): Promise<ApiAnswer[]> =>
        Promise.all(names.map((name) => call('POST', '/v1/events', batchOf(name))));
      expect((await change('before')).status).to.equal(201);
      expect((await call('POST', '/v1/events', batchOf('before'))).status).to.equal(202);

      limitFiles(api, NO_ROOM_BYTES);
      const refused = [...(await postAll()), await change('during'), await change('during')];
      for (const { status, headers, text } of refused) {
        expect(status, text).to.equal(503);
        expect(headers.get('retry-after')).to.match(/^[1-9]\d*$/);
      }
      expect((await call('GET', '/healthz')).status).to.equal(200);
      expect((await call('GET', '/v1/features/before')).status, 'what is there is read').to.equal(200);
      expect((await call('GET', '/v1/features/during')).status, 'nothing half done').to.equal(404);

      limitFiles(api, 'unlimited');
      for (const { status, text } of await postAll()) expect(status, text).to.equal(202);
      expect((await change('during')).status).to.equal(201);
      expect((await call('GET', '/readyz')).status).to.equal(200);
      const pipeline = startPipeline({ directory, worker: 'worker' });
      cleanup.defer(() => pipeline.kill());
      await drained({ ...stores, topic: stores.topics.api }, pipeline.errorText);
      const now = systemScheduler.now();
      const { rows } = await readUsage(stores.database, {
        namespace: NAMESPACE,
        meter: 'calls',
        subjects: ['acme'],
        from: now - MICROS_PER_DAY,
        to: now + MICROS_PER_DAY,
        window: 'none',
        timezone: 'UTC',
      });
      expect(rows.map(({ value }) => value)).to.deep.equal([String((BATCHES + 1) * BATCH)]);
      expect(await api.stop(), api.errorText()).to.deep.equal({ code: 0, signal: null });
    }));
});
