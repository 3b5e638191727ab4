import { rename, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { KEY_TRUST_MICROS } from '#infra/access/key-ring.ts';
import { localPaths } from '#infra/local/open-local.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { withApi, type ApiAnswer, type ApiCall, type TestApi } from '#test/support/api-server.ts';
import { faultOf, operations, type Operation } from '#test/support/openapi.ts';
import { callEvent, SOURCE, startRunning, TOKENS } from './events/running-api.ts';
import { pathOf, prepareSamples, type Sample } from './samples.ts';

const posted = (...ids: readonly string[]): ApiCall => ({
  method: 'POST',
  path: '/v1/events',
  body: ids.map((id) => callEvent(id, { tokens: 1 })),
});

const codeOf = ({ body }: ApiAnswer): unknown => (body as { code?: unknown } | undefined)?.code;

/** Every answer of an outage: a problem that says when to come again, and nothing of what is inside. */
function expectUnavailable(answer: ApiAnswer, what: string, code = 'store_unavailable'): void {
  expect(answer.status, `${what}: ${answer.text}`).to.equal(503);
  expect(codeOf(answer), what).to.equal(code);
  expect(answer.headers.get('content-type'), what).to.equal('application/problem+json');
  expect(answer.headers.get('retry-after'), what).to.match(/^[1-9]\d*$/);
  expect(answer.text, what).not.to.match(/sqlite|no such table|ENOENT|\.db|\/tmp\/|millrace-local/i);
}

const callOf = ({ method, path }: Operation, sample: Sample): ApiCall => ({
  method,
  path: pathOf(path, sample),
  ...(sample.body === undefined ? {} : { body: sample.body }),
  ...(sample.headers && { headers: sample.headers }),
});

/** What asks no database, or can do without for a while. */
const NEEDS_NO_DATABASE: ReadonlySet<string> = new Set([
  'postEvents',
  'evaluateUsage',
  'evaluatePeriods',
  'evaluatePrice',
  'priceCurve',
  'getHealth',
  'getMetrics',
  'getOpenApi',
  'getDocumentation',
  'getDocumentationScript',
  'getDocumentationAsset',
  'getProblems',
]);

/** Another program on the database takes every table away, and gives it back. */
function takeTables(on: TestApi): () => void {
  const other = new DatabaseSync(localPaths(on.directory).database, { timeout: 10_000 });
  on.cleanup.defer(async () => other.close());
  const tables = other
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .all()
    .map(({ name }) => String(name));
  const renameAll = (from: (name: string) => string, to: (name: string) => string): void =>
    tables.forEach((name) => other.exec(`ALTER TABLE "${from(name)}" RENAME TO "${to(name)}"`));
  const away = (name: string): string => `away_${name}`;
  const here = (name: string): string => name;
  renameAll(here, away);
  return () => renameAll(away, here);
}

describe('the API while its database is down', () => {
  it('answers every call that needs it 503 with Retry-After, takes events, and is whole again once it is mended', () =>
    withApi(async (on) => {
      const samples = await prepareSamples(on);
      const mend = takeTables(on);
      for (const operation of operations) {
        const { operationId } = operation;
        const answer = await on.call(callOf(operation, samples[operationId] ?? {}));
        expect(faultOf(operation, answer), operationId).to.equal(undefined);
        if (NEEDS_NO_DATABASE.has(operationId)) expect(answer.status, operationId).to.be.oneOf([200, 202]);
        else
          expectUnavailable(
            answer,
            operationId,
            operationId === 'getReadiness' ? 'not_ready' : 'store_unavailable',
          );
      }
      mend();
      for (const operation of operations) {
        const answer = await on.call(callOf(operation, samples[operation.operationId] ?? {}));
        expect(answer.status, `${operation.operationId}: ${answer.text.slice(0, 300)}`).to.be.below(300);
      }
    }));

  it('knows keys for a minute, and then says that it cannot know rather than that they are wrong', () => {
    let ahead = 0;
    const scheduler: Scheduler = { ...systemScheduler, now: () => systemScheduler.now() + ahead };
    return withApi(
      async (on) => {
        const unknown = await on.makeKey();
        expect((await on.call(posted('before'))).status).to.equal(202);
        const mend = takeTables(on);
        expectUnavailable(await on.call({ ...posted('x'), key: unknown }), 'a key that it has not met');
        expect((await on.call({ ...posted('x'), key: 'mr_live_none' })).status, 'no key at all').to.equal(
          401,
        );
        ahead = KEY_TRUST_MICROS - 10 * MICROS_PER_SECOND;
        expect((await on.call(posted('while'))).status, 'within the minute').to.equal(202);
        ahead = KEY_TRUST_MICROS + 10 * MICROS_PER_SECOND;
        expectUnavailable(await on.call(posted('late')), 'after the minute');
        expect((await on.call({ path: '/healthz' })).status).to.equal(200);
        mend();
        for (const key of [on.key, unknown])
          expect((await on.call({ ...posted('after'), key })).status).to.equal(202);
        expect((await on.call({ path: '/readyz' })).status).to.equal(200);
      },
      { scheduler },
    );
  });

  it('opens no file in its place when it is moved away, and reads it again when it is back', () =>
    withApi(async (on) => {
      const { database } = localPaths(on.directory);
      const files = ['', '-wal', '-shm'].map((suffix) => `${database}${suffix}`);
      expect((await on.call({ path: '/v1/meters' })).status).to.equal(200);
      for (const file of files) await rename(file, `${file}.away`);
      // Each snapshot needs a connection of its own, and only one is there yet.
      const taken = await Promise.allSettled(Array.from({ length: 8 }, () => on.stores.database.snapshot()));
      for (const each of taken) if (each.status === 'fulfilled') await each.value.close();
      expect(taken.some(({ status }) => status === 'rejected')).to.equal(true);
      for (const file of files) await rename(`${file}.away`, file);
      const again = await Promise.all(Array.from({ length: 8 }, () => on.stores.database.snapshot()));
      for (const each of again) await each.close();
      expect((await on.call({ path: '/v1/meters' })).status).to.equal(200);
    }));

  it('reads and takes events while another program holds its lock', () =>
    withApi(async (on) => {
      const samples = await prepareSamples(on);
      const other = new DatabaseSync(localPaths(on.directory).database, { timeout: 10_000 });
      on.cleanup.defer(async () => other.close());
      other.exec('BEGIN IMMEDIATE');
      const changing = on.call({ method: 'PUT', path: '/v1/features/waiting', body: { name: 'Waiting' } });
      for (const operation of operations) {
        const { operationId, method } = operation;
        if (method !== 'GET' && !['postEvents', 'checkEntitlements'].includes(operationId)) continue;
        const answer = await on.call(callOf(operation, samples[operationId] ?? {}));
        expect(answer.status, `${operationId}: ${answer.text.slice(0, 300)}`).to.be.below(300);
      }
      other.exec('ROLLBACK');
      expect((await changing).status, 'the change that waited').to.equal(201);
    }));
});

describe('the API while its topic is down', () => {
  for (const [what, replace] of [
    ['gone', async () => undefined],
    ['replaced by a file', (path: string) => writeFile(path, 'not a directory')],
  ] as const)
    it(`refuses events whole while the directory is ${what}, serves everything else, and takes them when it is back`, () =>
      withApi(async (on) => {
        const path = localPaths(on.directory).topics.api;
        await rename(path, `${path}-away`);
        await replace(path);
        const batches = [posted('a-1', 'a-2'), posted('b-1'), posted('c-1', 'c-2', 'c-3')];
        for (const batch of batches) expectUnavailable(await on.call(batch), 'POST /v1/events');
        for (const other of ['/healthz', '/v1/meters', '/v1/status', '/metrics'])
          expect((await on.call({ path: other })).status, other).to.equal(200);
        await rm(path, { force: true });
        await rename(`${path}-away`, path);
        for (const batch of batches) expect((await on.call(batch)).status).to.equal(202);
        expect(
          (await on.stores.topics.api.backlog()).messages,
          'each batch once, no part of it twice',
        ).to.equal(6);
        expect((await on.call({ path: '/readyz' })).status).to.equal(200);
      }));
});

describe('the API while its warehouse is down', () => {
  it('corrects nothing and finds no event whole, counts and checks on, and has lost nothing afterwards', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      await running.send([callEvent('e-1', { tokens: 1 }), callEvent('e-2', { tokens: 2 })]);
      await running.settled();
      const { warehouse } = localPaths(on.directory);
      await rename(warehouse, `${warehouse}-away`);
      const correction = (verb: string, more: object = {}): ApiCall => ({
        method: 'POST',
        path: `/v1/events/${verb}`,
        body: { source: SOURCE, id: 'e-1', reason: 'a mistake', ...more },
        headers: { 'idempotency-key': `${verb}-1` },
      });
      const lookup = { path: `/v1/events/lookup?source=${SOURCE}&id=e-1` };
      const amendment = correction('amend', { id: 'e-2', event: callEvent('e-3', { tokens: 30 }) });
      const asked = [lookup, correction('void'), amendment];
      for (const call of asked) expectUnavailable(await on.call(call), call.path);
      expect(await running.usage('tokens', 'acme')).to.equal('3');
      await running.send([callEvent('e-4', { tokens: 400 })]);
      expect((await on.call({ path: '/readyz' })).status).to.equal(200);
      await rename(`${warehouse}-away`, warehouse);
      for (const call of asked) expect((await on.call(call)).status, call.path).to.equal(200);
      await running.settled();
      expect(await running.usage('tokens', 'acme'), 'e-1 is void, e-3 stands for e-2').to.equal('430');
    }));
});
