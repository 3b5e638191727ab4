import { randomUUID } from 'node:crypto';
import { createServer, IncomingMessage, ServerResponse, STATUS_CODES, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Express } from 'express';
import type { Drain } from './drain.ts';
import { problemDocument, Problem } from './problem.ts';

export interface ListeningServer {
  readonly url: string;
  /** Takes no new connection, lets every request in hand be answered, and after `graceMs` cuts what is left. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly app: Express;
  readonly drain: Drain;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly graceMs: number;
  readonly timeouts?: ServerTimeouts;
}

/** How long others are waited for. A client that is slower loses its connection. */
export interface ServerTimeouts {
  /** Until the headers are whole. */
  readonly headersMs: number;
  /** Until the body is. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** While nothing moves on a connection that has a request: its client takes nothing of the answer. */
  readonly stalledMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
}

const TIMEOUTS: ServerTimeouts = {
  headersMs: 10_000,
  /** A batch of 5 MB over a slow line. */
  requestMs: 60_000,
  /** Longer than that of the load balancer in front, which else would reuse a connection that is being closed. */
  keepAliveMs: 65_000,
  /** Far above what any call takes, and what a transaction waits for a lock. */
  stalledMs: 120_000,
  checkMs: 2_000,
};

const HEADER_BYTES_MAX = 16 * 1_024;
const HEADERS_MAX = 100;

export async function listen(options: ListenOptions): Promise<ListeningServer> {
  const { drain, host, port, graceMs } = options;
  const server = createHttpServer(options);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: () => close(server, drain, graceMs),
  };
}

function createHttpServer({ app, timeouts = TIMEOUTS }: ListenOptions): Server {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    IncomingMessage: bornAs(IncomingMessage, app.request),
    ServerResponse: bornAs(ServerResponse, app.response),
    connectionsCheckingInterval: timeouts.checkMs,
    // Refused by `refuseUnclearHost`, which says why.
    requireHostHeader: false,
  });
  server.timeout = timeouts.stalledMs;
  server.maxHeadersCount = HEADERS_MAX;
  const latest: Latest = new WeakMap();
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const known = latest.get(request.socket);
    if (known === undefined) latest.set(request.socket, { request, response, isBehind: false });
    else follow(known, request, response);
    app(request, response);
  };
  server.on('request', serve);
  // An expectation that nobody knows may be passed over (RFC 9110, 10.1.1).
  server.on('checkExpectation', serve);
  answerBrokenRequests(server, latest);
  return server;
}

/**
 * What makes requests and answers that are Express' own from the start. Express else gives each another prototype when it comes, after which
 * the engine finds nothing in them as quickly as before.
 */
function bornAs<Class extends typeof IncomingMessage | typeof ServerResponse>(
  made: Class,
  prototype: object,
): Class {
  function born(...given: unknown[]): object {
    return Reflect.construct(made, given, born) as object;
  }
  born.prototype = prototype;
  return born as unknown as Class;
}

/** The newest request of each connection. */
type Latest = WeakMap<Duplex, Received>;

interface Received {
  request: IncomingMessage;
  response: ServerResponse;
  /** It came while the one before it was not answered. */
  isBehind: boolean;
}

/** The connection keeps its entry, since a new one a request is dear to the garbage collector. */
function follow(received: Received, request: IncomingMessage, response: ServerResponse): void {
  received.isBehind = isPending(received);
  received.request = request;
  received.response = response;
}

const isPending = (received: Received | undefined): received is Received =>
  received !== undefined && !received.response.writableFinished;

/** Whether what is written now could be taken for a part of another answer, or for the answer to another request. */
const wouldBeMistaken = (received: Received | undefined): boolean =>
  isPending(received) && (received.isBehind || received.request.complete || received.response.headersSent);

async function close(server: Server, drain: Drain, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => {
    drain.abort();
    server.closeAllConnections();
  }, graceMs);
  await drain.drained();
  // Connections that clients keep open answer nothing any more.
  server.closeIdleConnections();
  await closed;
  clearTimeout(cut);
}

/** What is no HTTP, or does not come to its end, never reaches a route; it gets a problem too. */
function answerBrokenRequests(server: Server, latest: Latest): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable || wouldBeMistaken(latest.get(socket)))
      return void socket.destroy();
    const problem = brokenRequest(error);
    const body = JSON.stringify(problemDocument(problem));
    const answer = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Request-Id: ${randomUUID()}`,
      'Connection: close',
      '',
      body,
    ];
    // Not only ended: who does not close the other half would keep the connection.
    socket.end(answer.join('\r\n'), () => socket.destroy());
  });
}

function brokenRequest({ code }: NodeJS.ErrnoException): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('headers_too_large', `the headers are larger than ${HEADER_BYTES_MAX} bytes`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('request_timeout', 'the request was not whole in time');
  return new Problem('invalid_request', 'the request is no HTTP/1.1');
}
