import { expect } from 'chai';
import { SCOPES, type Scope } from '#domain/access/scope.ts';
import { withApi, type ApiCall, type TestApi } from '#test/support/api-server.ts';
import { faultOf, operations, type Operation } from '#test/support/openapi.ts';
import { pathOf, prepareSamples, type Sample, type Samples } from './samples.ts';

const keyed = operations.filter(({ scope }) => scope !== undefined);
const UNKNOWN_KEY = `mr_live_${'A'.repeat(49)}`;

const callOf = (operation: Operation, sample: Sample): ApiCall => ({
  method: operation.method,
  path: pathOf(operation.path, sample),
  ...(sample.body === undefined ? {} : { body: sample.body }),
  ...(sample.headers === undefined ? {} : { headers: sample.headers }),
});

const sampleOf = (samples: Samples, { operationId }: Operation): Sample => {
  const sample = samples[operationId];
  expect(sample, `${operationId} has no sample in test/api/samples.ts`).to.be.an('object');
  return sample!;
};

/** What an answer tells, without what differs from request to request by nature. */
const told = async (on: TestApi, call: ApiCall) => {
  const { status, body } = await on.call(call);
  return { status, body };
};

describe('every route of the OpenAPI document', () => {
  it('answers a valid call with success, as documented', () =>
    withApi(async (on) => {
      const samples = await prepareSamples(on);
      for (const operation of operations) {
        const answer = await on.call(callOf(operation, sampleOf(samples, operation)));
        expect(answer.status, `${operation.operationId}: ${answer.text.slice(0, 300)}`).to.be.within(
          200,
          299,
        );
        expect(faultOf(operation, answer), operation.operationId).to.equal(undefined);
        expect(answer.headers.get('request-id'), operation.operationId).to.match(/^[\w-]{36}$/);
      }
    }));

  it('is refused without a key and with one that is none, before anything else is said', () =>
    withApi(async (on) => {
      const samples = await prepareSamples(on);
      for (const operation of keyed) {
        const call = callOf(operation, sampleOf(samples, operation));
        for (const key of [null, UNKNOWN_KEY, 'x']) {
          const answer = await on.call({ ...call, key });
          expect(answer.status, `${operation.operationId} with ${String(key)}`).to.equal(401);
          expect(answer.body).to.include({ code: 'unauthenticated' });
          expect(answer.headers.get('www-authenticate')).to.equal('Bearer');
          expect(faultOf(operation, answer), operation.operationId).to.equal(undefined);
        }
      }
    }));

  it('is refused with every scope but its own', () =>
    withApi(async (on) => {
      const samples = await prepareSamples(on);
      for (const operation of keyed) {
        const scopes = SCOPES.filter((scope: Scope) => scope !== operation.scope);
        const key = await on.makeKey({ scopes });
        const answer = await on.call({ ...callOf(operation, sampleOf(samples, operation)), key });
        expect(answer.status, operation.operationId).to.equal(403);
        expect(answer.body).to.include({ code: 'scope_missing' });
      }
    }));

  it('tells the key of another namespace nothing about what exists', () =>
    withApi(async (on) => {
      const samples = await prepareSamples(on);
      const [other, empty] = [
        await on.makeKey({ namespace: 'other' }),
        await on.makeKey({ namespace: 'empty' }),
      ];
      for (const operation of keyed.filter(({ path, answers }) => path.includes('{') && '404' in answers)) {
        const call = callOf(operation, sampleOf(samples, operation));
        const seen = await told(on, { ...call, key: other });
        expect(seen.status, operation.operationId).to.be.oneOf([404]);
        // The thing is there for `default`; for these two it must make no difference.
        expect(seen, operation.operationId).to.deep.equal(await told(on, { ...call, key: empty }));
      }
    }));
});

describe('a path or method that no route has', () => {
  it('is a problem, with the methods that there are', () =>
    withApi(async ({ call }) => {
      const nowhere = await call({ path: '/v1/nowhere' });
      expect([nowhere.status, (nowhere.body as { code: string }).code]).to.deep.equal([404, 'not_found']);
      const wrong = await call({ method: 'DELETE', path: '/v1/api-keys' });
      expect(wrong.status).to.equal(405);
      expect(wrong.headers.get('allow')).to.equal('POST, GET');
    }));
});
