import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';

/**
 * The least a server can do: 200 bytes of JSON, by Express or by `node:http` alone. A process of its own, so that its CPU is its own; it
 * says where it listens, and on any message how much CPU it has used.
 */
const BODY = JSON.stringify({ answer: 'x'.repeat(200 - '{"answer":""}'.length) });

function handlerOf(kind: string | undefined) {
  if (kind !== 'express') {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(BODY) };
    return createServer((_request, response) => void response.writeHead(200, headers).end(BODY));
  }
  const app = express();
  app.disable('etag');
  app.disable('x-powered-by');
  app.get('/', (_request, response) => void response.type('json').send(BODY));
  return createServer(app);
}

const server = handlerOf(process.argv[2]);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
