import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import helmet from 'helmet';
import { sendAnswer } from '#api/http/send-answer.ts';
import { json, type Answer } from '#api/http/answer.ts';
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

describe('the head of an answer', () => {
  const ANSWERS: Readonly<Record<string, Answer>> = {
    'without headers of its own': json(200, { a: 1 }),
    'with headers of its own': json(200, { a: 1 }, { Location: '/there' }),
  };
  for (const [name, answer] of Object.entries(ANSWERS))
    it(`${name} has the headers that helmet sets, and no others`, async () => {
      const protect = helmet({ contentSecurityPolicy: { directives: CONTENT_SECURITY } });
      const helmets = express().use(protect, (_request, response) => void response.send('x'));
      const more = { 'cache-control': 'no-store', 'request-id': 'r-1' };
      const location = 'Location' in answer.headers ? { location: '/there' } : {};
      expect(await ours(answer)).to.deep.equal({ ...(await headersOf(helmets)), ...more, ...location });
    });

  it('says a header once, by its own value where it has one', async () => {
    const headers = await ours(json(200, {}, { 'Cache-Control': 'max-age=5' }));
    expect(headers).to.have.property('cache-control', 'max-age=5');
  });
});
