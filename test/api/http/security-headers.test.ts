import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import express from 'express';
import helmet from 'helmet';
import { sendAnswer, sendProblem } from '#api/http/send-answer.ts';
import { bytes, json, JSON_CONTENT_TYPE, noContent, stream, text, type Answer } from '#api/http/answer.ts';
import { Problem } from '#api/http/problem.ts';
import { CONTENT_SECURITY } from '#api/http/security-headers.ts';

/** The headers of an answer as they stand on the wire, without those that name its time, its length and its connection. */
async function headersOf(app: express.Express): Promise<Record<string, string>> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  server.closeAllConnections();
  server.close();
  const own = ['date', 'connection', 'keep-alive', 'content-length', 'content-type', 'x-powered-by', 'etag'];
  return Object.fromEntries([...headers].filter(([name]) => !own.includes(name)));
}

const ours = (answer: Answer) =>
  headersOf(express().use((_request, response) => void sendAnswer(response, 'r-1', answer)));

/** What a browser, or a cache on the way, may do with a document that is no page. */
const OF_DOCUMENTS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'request-id': 'r-1',
};

describe('the head of an answer', () => {
  const DOCUMENTS: Readonly<Record<string, Answer>> = {
    'without headers of its own': json(200, { a: 1 }),
    'with headers of its own': json(200, { a: 1 }, { Location: '/there' }),
    'that was encoded before': bytes(200, JSON_CONTENT_TYPE, Buffer.from('{"a":1}')),
  };
  for (const [name, answer] of Object.entries(DOCUMENTS))
    it(`of JSON ${name} says what holds for documents, and nothing else`, async () => {
      const location = 'Location' in answer.headers ? { location: '/there' } : {};
      expect(await ours(answer)).to.deep.equal({ ...OF_DOCUMENTS, ...location });
    });

  it('of a problem says the same', async () => {
    const problem = new Problem('not_found', 'there is no such path');
    const app = express().use((_request, response) => sendProblem(response, 'r-1', problem));
    expect(await headersOf(app)).to.deep.equal(OF_DOCUMENTS);
  });

  const PAGES: Readonly<Record<string, Answer>> = {
    'of text': text(200, 'text/html; charset=utf-8', '<p>a</p>'),
    'of bytes': bytes(200, 'application/pdf', Buffer.from('a')),
    'of a stream': stream(200, 'text/csv', Readable.from(['a'])),
    'without a body': noContent(),
  };
  for (const [name, answer] of Object.entries(PAGES))
    it(`${name} has the headers that helmet sets, and no others`, async () => {
      const protect = helmet({ contentSecurityPolicy: { directives: CONTENT_SECURITY } });
      const helmets = express().use(protect, (_request, response) => void response.send('x'));
      const more = { 'cache-control': 'no-store', 'request-id': 'r-1' };
      const { 'transfer-encoding': _chunked, ...headers } = await ours(answer);
      expect(headers).to.deep.equal({ ...(await headersOf(helmets)), ...more });
    });

  it('says a header once, by its own value where it has one', async () => {
    const headers = await ours(json(200, {}, { 'Cache-Control': 'max-age=5' }));
    expect(headers).to.have.property('cache-control', 'max-age=5');
  });
});
