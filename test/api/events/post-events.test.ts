import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { HTTP_BODY_BYTES_MAX, HTTP_EVENTS_MAX } from '#domain/limits.ts';
import type { Database } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import type { Message } from '#infra/topic/topic.ts';
import { withApi, type ApiAnswer, type ApiCall } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENT_TYPE = { 'content-type': 'application/cloudevents+json' };
const BATCH_TYPE = { 'content-type': 'application/cloudevents-batch+json' };

interface Results {
  readonly accepted: number;
  readonly rejected: number;
  readonly results: readonly {
    readonly index: number;
    readonly source: string | null;
    readonly id: string | null;
    readonly status: string;
    readonly problem?: { readonly code: string; readonly detail: string };
  }[];
}

const event = (id: string, more: object = {}): object => ({
  specversion: '1.0',
  id,
  source: 'urn:test',
  type: 'call',
  subject: 'acme',
  time: new Date().toISOString(),
  ...more,
});

const posted = (body: unknown, headers?: Readonly<Record<string, string>>): ApiCall => ({
  method: 'POST',
  path: '/v1/events',
  body,
  ...(headers && { headers }),
});

const resultsOf = (answer: ApiAnswer): Results => answer.body as Results;
const problemOf = (answer: ApiAnswer): string => (answer.body as { code: string }).code;

/** Everything that the API's topic holds. */
const published = async ({ topics }: LocalStores): Promise<Message[]> => {
  const messages: Message[] = [];
  for (;;) {
    const pulled = await topics.api.pull(1_000);
    if (pulled.length === 0) return messages;
    messages.push(...pulled);
  }
};
const textOf = ({ data }: Message): string => Buffer.from(data).toString('utf8');

describe('posting events', () => {
  it('publishes the very bytes of every event, for the namespace of the key', () =>
    withApi(async ({ call, stores }) => {
      const text = JSON.stringify(event('e-1', { data: { a: 1 } })).replace(
        '"a":1',
        '"a" : 9007199254740993, "b":1e3',
      );
      const other = JSON.stringify(event('e-2', { data: 12_345 })).replace('12345', '12345678901234567890');
      const answer = await call(posted(`[ ${text},\n\t${other} ]`, BATCH_TYPE));
      expect(answer.status).to.equal(202);
      expect(resultsOf(answer)).to.deep.equal({
        accepted: 2,
        rejected: 0,
        results: [
          { index: 0, source: 'urn:test', id: 'e-1', status: 'accepted' },
          { index: 1, source: 'urn:test', id: 'e-2', status: 'accepted' },
        ],
      });
      const messages = await published(stores);
      expect(messages.map(textOf)).to.deep.equal([text, other]);
      for (const { attributes } of messages)
        expect(attributes).to.deep.equal({ 'millrace-namespace': 'default' });
    }));

  it('takes one event, plain JSON of one or many, and binary mode', () =>
    withApi(async ({ call, stores, makeKey }) => {
      const key = await makeKey({ namespace: 'sandbox', scopes: ['events:write'] });
      const one = JSON.stringify(event('one'));
      expect((await call({ ...posted(one, EVENT_TYPE), key })).status).to.equal(202);
      expect((await call({ ...posted(event('plain')), key })).status).to.equal(202);
      expect((await call({ ...posted([event('listed')]), key })).status).to.equal(202);
      const headers = {
        ...JSON_TYPE,
        'ce-specversion': '1.0',
        'ce-id': 'bin%C3%A4r',
        'ce-source': 'urn:test',
        'ce-type': 'call',
        'ce-subject': 'acme',
        'ce-trace': 'x',
        'millrace-namespace': 'default',
      };
      const binary = await call({ ...posted('{"tokens": 1.50}', headers), key });
      expect(resultsOf(binary).results[0]).to.include({ id: 'binär', status: 'accepted' });
      const messages = await published(stores);
      expect(messages.map(({ attributes }) => attributes['millrace-namespace'])).to.deep.equal(
        messages.map(() => 'sandbox'),
      );
      expect(
        messages.slice(0, 3).map((message) => (JSON.parse(textOf(message)) as { id: string }).id),
      ).to.deep.equal(['one', 'plain', 'listed']);
      expect(textOf(messages[3]!)).to.equal('{"tokens": 1.50}');
      expect(messages[3]?.attributes).to.deep.equal({
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'binär',
        'ce-source': 'urn:test',
        'ce-type': 'call',
        'ce-subject': 'acme',
        'ce-trace': 'x',
        'millrace-namespace': 'sandbox',
      });
    }));

  it('lets a media type of CloudEvents say the mode, whatever is in the headers beside it', () =>
    withApi(async ({ call, stores }) => {
      const text = JSON.stringify(event('inside'));
      const headers = { ...EVENT_TYPE, 'ce-specversion': '1.0', 'ce-id': 'outside' };
      const answer = await call(posted(text, headers));
      expect(resultsOf(answer).results[0]).to.include({ id: 'inside' });
      expect((await published(stores)).map(textOf)).to.deep.equal([text]);
    }));

  it('judges every event by itself, by the reasons of dead letters, and publishes only what it accepts', () =>
    withApi(async ({ call, stores }) => {
      const texts = [
        JSON.stringify(event('good')),
        JSON.stringify(event('no-subject', { subject: null })),
        '{"specversion":"1.0","id":"broken","source":"urn:test", tru}',
        JSON.stringify(event('old', { time: '2020-01-01T00:00:00Z' })),
        JSON.stringify(event('far', { time: '2200-01-01T00:00:00Z' })),
        '12',
        JSON.stringify(event('deep', { data: [[[[[[[[[1]]]]]]]]] })),
        JSON.stringify(event('huge')).replace('"call"', '"call","data":1e999999'),
        JSON.stringify(event('half', { data: '\ud800' })),
        JSON.stringify(event('large', { data: 'x'.repeat(65_536) })),
        JSON.stringify(event('base64', { data_base64: 'AAAA' })),
      ];
      const answer = await call(posted(`[${texts.join(',')}]`, BATCH_TYPE));
      expect(answer.status).to.equal(202);
      const { accepted, rejected, results } = resultsOf(answer);
      expect({ accepted, rejected }).to.deep.equal({ accepted: 1, rejected: 10 });
      expect(results.map(({ id, problem }) => [id, problem?.code])).to.deep.equal([
        ['good', undefined],
        ['no-subject', 'attribute_missing'],
        ['broken', 'malformed_json'],
        ['old', 'too_old'],
        ['far', 'in_the_future'],
        [null, 'not_an_event'],
        ['deep', 'too_deep'],
        ['huge', 'value_out_of_range'],
        ['half', 'malformed_json'],
        ['large', 'too_large'],
        ['base64', 'attribute_invalid'],
      ]);
      expect((await published(stores)).map(textOf)).to.deep.equal([texts[0]]);
    }));

  it('answers 400 with the same members when no event is accepted', () =>
    withApi(async ({ call, stores }) => {
      const answer = await call(posted([event('x', { id: '' })]));
      expect(answer.status).to.equal(400);
      expect(answer.headers.get('content-type')).to.equal('application/problem+json');
      expect(answer.body).to.include({ code: 'no_event_accepted', accepted: 0, rejected: 1 });
      expect(resultsOf(answer).results[0]?.problem?.code).to.equal('attribute_invalid');
      const binary = await call(
        posted('x', { 'ce-specversion': '1.0', 'ce-id': '%', 'content-type': 'text/plain' }),
      );
      expect(resultsOf(binary).results[0]).to.deep.include({ id: null, status: 'rejected' });
      expect(problemOf(await call(posted('[]', JSON_TYPE)))).to.equal('no_event_accepted');
      expect(problemOf(await call(posted('', JSON_TYPE)))).to.equal('no_event_accepted');
      expect(problemOf(await call(posted('[{},', JSON_TYPE)))).to.equal('malformed_json');
      expect(problemOf(await call(posted('{}', BATCH_TYPE)))).to.equal('invalid_request');
      expect(await published(stores)).to.deep.equal([]);
    }));

  it('takes no other media type, and no more than its limits, inflated or not', () =>
    withApi(async ({ call, stores }) => {
      expect((await call(posted('a,b', { 'content-type': 'text/csv' }))).status).to.equal(415);
      const many = Array.from({ length: HTTP_EVENTS_MAX }, (_, at) => event(`e-${at}`));
      expect(resultsOf(await call(posted(many))).accepted).to.equal(HTTP_EVENTS_MAX);
      expect((await call(posted([...many, event('more')]))).status).to.equal(413);
      const large = Buffer.alloc(HTTP_BODY_BYTES_MAX + 1, 32);
      expect((await call(posted(large, JSON_TYPE))).status).to.equal(413);
      const zipped = { ...JSON_TYPE, 'content-encoding': 'gzip' };
      expect((await call(posted(gzipSync(large), zipped))).status).to.equal(413);
      expect((await call(posted(gzipSync(JSON.stringify(event('zipped'))), zipped))).status).to.equal(202);
      expect(await published(stores)).to.have.length(HTTP_EVENTS_MAX + 1);
    }));

  it('holds each key to its events and bytes a second, before anything is published', () =>
    withApi(
      async ({ call, stores, makeKey }) => {
        const two = [event('a'), event('b')];
        expect((await call(posted(two))).status).to.equal(202);
        const refused = await call(posted(two));
        expect(refused.status).to.equal(429);
        expect(problemOf(refused)).to.equal('rate_limited');
        expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 3_600);
        const other = await makeKey({ scopes: ['events:write'] });
        expect((await call({ ...posted(event('c')), key: other })).status, 'another key').to.equal(202);
        expect(await published(stores)).to.have.length(3);
      },
      { keyLimits: { eventsPerSecond: 0.001, bytesPerSecond: 1_000_000, burstSeconds: 2_000 } },
    ));

  it('answers 503 with Retry-After while the topic is down, and takes the same request when it is back', () => {
    let isDown = true;
    const standIns = ({ topics: { api } }: LocalStores) => ({
      topic: {
        ...api,
        publish: async (messages: Parameters<typeof api.publish>[0]) => {
          if (isDown) throw new TopicUnavailable('the disk is full');
          return api.publish(messages);
        },
      },
    });
    return withApi(
      async ({ call, stores }) => {
        const down = await call(posted([event('e-1'), event('e-2')]));
        expect(down.status).to.equal(503);
        expect(problemOf(down)).to.equal('store_unavailable');
        expect(down.headers.get('retry-after')).to.match(/^\d+$/);
        isDown = false;
        expect((await call(posted([event('e-1'), event('e-2')]))).status).to.equal(202);
        expect(await published(stores)).to.have.length(2);
      },
      { standIns },
    );
  });

  it('goes on while the database is down, with a key that it knows', () => {
    let isDown = false;
    const check = (): void => {
      if (isDown) throw new StoreFailure('the disk is gone');
    };
    const standIns = ({ database }: LocalStores) => {
      const read: Database['read'] = async (...asked) => (check(), database.read(...asked));
      const scan: Database['scan'] = (...asked) => (check(), database.scan(...asked));
      const transact: Database['transact'] = async (work) => (check(), database.transact(work));
      const snapshot: Database['snapshot'] = async () => (check(), database.snapshot());
      return { database: { ...database, read, scan, transact, snapshot } };
    };
    return withApi(
      async ({ call, stores }) => {
        expect((await call(posted(event('before')))).status).to.equal(202);
        isDown = true;
        expect((await call({ path: '/v1/api-keys' })).status, 'everything else').to.equal(503);
        expect((await call(posted(event('while')))).status).to.equal(202);
        isDown = false;
        expect((await call({ path: '/v1/api-keys' })).status).to.equal(200);
        expect(await published(stores)).to.have.length(2);
      },
      { standIns },
    );
  });

  it('publishes nothing for a client that leaves in the middle of its request', () =>
    withApi(async ({ api, key, call, stores }) => {
      const body = JSON.stringify([event('cut-1'), event('cut-2')]);
      const { hostname, port } = new URL(api.url);
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      const head = [
        'POST /v1/events HTTP/1.1',
        'Host: test',
        `Authorization: Bearer ${key}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        'Expect: 100-continue',
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      await once(socket, 'data');
      socket.write(body.slice(0, -1));
      socket.destroy();
      const givenUp = /route="postEvents",method="POST",status="499"/;
      await eventually('the request is given up', async () =>
        givenUp.test(await api.services.metrics.text()),
      );
      expect((await call(posted(event('after')))).status).to.equal(202);
      expect(await published(stores)).to.have.length(1);
    }));
});
