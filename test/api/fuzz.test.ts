import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { withApi, type ApiAnswer, type ApiCall, type TestApi } from '#test/support/api-server.ts';
import { arbitraryOf } from '#test/support/openapi-arbitrary.ts';
import { faultOf, operations, type Operation } from '#test/support/openapi.ts';
import { pathOf, prepareSamples, type Sample, type Samples } from './samples.ts';

const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_260_301);
const CALLS_PER_OPERATION = 25;

type Values = Readonly<Record<string, unknown>>;

/** Calls of an operation as its own schemas describe it, with values that mostly fit and sometimes do not. */
function callsOf(operation: Operation, sample: Sample): fc.Arbitrary<ApiCall> {
  const [mediaType, schema] = Object.entries(operation.body)[0] ?? [];
  const values = (where: 'path' | 'query'): fc.Arbitrary<Values> =>
    fc.record(
      Object.fromEntries(
        operation.parameters
          .filter((each) => each.in === where)
          .map(({ name, schema: of }) => [name, arbitraryOf(of)]),
      ),
      { requiredKeys: [] },
    );
  return fc
    .record({
      path: values('path'),
      query: values('query'),
      body: schema === undefined ? fc.constant(undefined) : arbitraryOf(schema),
    })
    .map(({ path, query, body }) => ({
      method: operation.method,
      // Half of the path comes from the sample, so that what exists is met too.
      path: pathOf(operation.path, { path: { ...sample.path, ...textValues(path) } }) + queryText(query),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': mediaType ?? '' } }),
    }));
}

const textOf = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();

/** An empty value would be another path, and so would `.` and `..` once a client has normalised it. */
const textValues = (values: Values): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values)
      .map(([name, value]) => [name, textOf(value)] as const)
      .filter(([, text]) => text !== '' && text !== '.' && text !== '..'),
  );

const queryText = (values: Values): string => {
  const given = Object.entries(values).map(([name, value]): [string, string] => [name, textOf(value)]);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
};

function checkAnswer(operation: Operation, answer: ApiAnswer, what: string): void {
  expect(answer.status, `${what}\n${answer.text.slice(0, 500)}`).to.be.below(500);
  expect(faultOf(operation, answer), `${what} -> ${answer.text.slice(0, 500)}`).to.equal(undefined);
}

const eachOperation = async (
  on: TestApi,
  check: (operation: Operation, sample: Sample) => Promise<void>,
): Promise<void> => {
  const samples: Samples = await prepareSamples(on);
  for (const operation of operations) await check(operation, samples[operation.operationId] ?? {});
};

describe('whatever a request holds', () => {
  it(`every answer is documented and none is 5xx: calls made from the schemas (seed ${SEED})`, () =>
    withApi(async (on) => {
      await eachOperation(on, async (operation, sample) => {
        const property = fc.asyncProperty(callsOf(operation, sample), async (call) => {
          checkAnswer(
            operation,
            await on.call(call),
            `${call.method ?? ''} ${call.path} ${String(call.body)}`,
          );
        });
        await fc.assert(property, { seed: SEED, numRuns: CALLS_PER_OPERATION });
      });
    })).timeout(120_000);

  it('every answer is documented and none is 5xx: bodies that are no document', () =>
    withApi(async (on) => {
      await eachOperation(on, async (operation, sample) => {
        for (const body of brokenBodies())
          for (const mediaType of [
            ...Object.keys(operation.body),
            'text/html',
            'application/json; charset=utf-16',
          ]) {
            if (operation.method === 'GET') continue;
            const call = {
              method: operation.method,
              path: pathOf(operation.path, sample),
              body: body.bytes,
              headers: { 'content-type': mediaType },
            };
            checkAnswer(operation, await on.call(call), `${operation.operationId} ${mediaType} ${body.name}`);
          }
      });
    })).timeout(120_000);

  it('a body that says it is compressed and is not, or that inflates beyond the limit, is refused', () =>
    withApi(async (on) => {
      const path = '/v1/api-keys';
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      const broken = await on.call({ method: 'POST', path, body: Buffer.from('no gzip'), headers });
      expect(broken.status).to.equal(400);
      const { gzipSync } = await import('node:zlib');
      const bomb = gzipSync(Buffer.alloc(64 * 1_024 * 1_024, 32));
      expect((await on.call({ method: 'POST', path, body: bomb, headers })).status).to.equal(413);
    }));
});

interface BrokenBody {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function brokenBodies(): BrokenBody[] {
  const text = (name: string, content: string): BrokenBody => ({ name, bytes: Buffer.from(content) });
  return [
    text('empty', ''),
    text('cut', '{"a":'),
    text('deep arrays', '['.repeat(100_000)),
    text('deep objects', '{"a":'.repeat(50_000)),
    text('huge number', `{"amount":${'9'.repeat(10_000)}}`),
    text('huge exponent', '{"amount":1e999999999}'),
    text('prototype', '{"__proto__":{"admin":true},"constructor":{}}'),
    text('lone surrogate', '{"name":"\\ud800"}'),
    text('nothing but a scalar', '1'),
    text('null', 'null'),
    text('array of nulls', '[null,null]'),
    { name: 'no UTF-8', bytes: Uint8Array.from([0x7b, 0xff, 0xfe, 0x22, 0x7d]) },
    { name: 'random bytes', bytes: Uint8Array.from({ length: 512 }, (_, i) => (i * 167) % 256) },
  ];
}

describe('what is no proper HTTP', () => {
  const cases: readonly [string, string, number][] = [
    [
      'is refused when its headers are too large',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(40_000)}\r\n\r\n`,
      431,
    ],
    ['is refused when it is no HTTP at all', 'HELO example.org\r\n\r\n', 400],
    [
      'is refused when its length is a lie',
      'POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
      400,
    ],
    [
      'is refused when its path cannot be decoded',
      'GET /v1/api-keys/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      400,
    ],
  ];
  for (const [name, sent, status] of cases)
    it(name, () =>
      withApi(async ({ api }) => {
        const answer = await exchange(api.url, sent);
        expect(answer).to.match(new RegExp(`^HTTP/1.1 ${status} `));
        expect(answer).to.contain('application/problem+json');
      }),
    );
});

/** Sends bytes and gives all that comes back until the other side closes. */
function exchange(url: string, sent: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(sent));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}
