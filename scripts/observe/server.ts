import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Observer } from './observer.ts';

const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** How often the charts get a point. */
const LOOK_EVERY_MS = 2_000;

const PAGE: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/': { file: 'page/index.html', type: 'text/html; charset=utf-8' },
  '/page.css': { file: 'page/page.css', type: 'text/css; charset=utf-8' },
  '/page.js': { file: 'page/page.js', type: 'text/javascript; charset=utf-8' },
};
const SAFE = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

export interface ObserverServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on loopback, for exporters and for a browser. Throws when the port is taken. */
export async function serveObserver(observer: Observer, port: number): Promise<ObserverServer> {
  const server = createServer((request, response) => {
    answer(observer, request, response).catch(() => refuse(response, 400));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const looking = setInterval(() => observer.look(Date.now()), LOOK_EVERY_MS);
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${taken}`, close: () => close(server, looking) };
}

async function answer(observer: Observer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const signal = /^\/v1\/(traces|metrics|logs)$/.exec(path)?.[1] as keyof Observer['take'] | undefined;
  if (request.method === 'POST' && signal !== undefined) {
    observer.take[signal](await readBody(request), Date.now());
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    return;
  }
  if (request.method !== 'GET') return refuse(response, 405);
  if (path === '/observed.json') {
    response.writeHead(200, { ...SAFE, 'content-type': 'application/json' });
    response.end(JSON.stringify(observer.observed()));
    return;
  }
  const page = PAGE[path];
  if (page === undefined) return refuse(response, 404);
  const text = await readFile(new URL(page.file, import.meta.url));
  response.writeHead(200, { ...SAFE, 'content-type': page.type }).end(text);
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError('the export is too large');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const isZipped = request.headers['content-encoding'] === 'gzip';
  return isZipped ? gunzipSync(body, { maxOutputLength: BODY_BYTES_MAX }) : body;
}

function refuse(response: ServerResponse, status: number): void {
  if (!response.headersSent) response.writeHead(status, SAFE);
  response.end();
}

async function close(server: Server, looking: NodeJS.Timeout): Promise<void> {
  clearInterval(looking);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
