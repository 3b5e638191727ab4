import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a worker says of itself over HTTP. */
export interface Health {
  /** In words why it does not work now; undefined when it does. */
  notReady(): string | undefined;
  /** Prometheus text. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens for probes and scrapers. `/healthz` asks no store: a database that is down must not get a healthy worker killed. Throws when it
 * cannot listen.
 */
export async function serveHealth(
  health: Health,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(health, request.url ?? '/', response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function answer(health: Health, url: string, response: ServerResponse): Promise<void> {
  switch (url.split('?', 1)[0] ?? '') {
    case '/healthz':
      return send(response, 200, JSON.stringify({ status: 'alive' }));
    case '/readyz': {
      const reason = health.notReady();
      const status = reason === undefined ? 200 : 503;
      return send(response, status, JSON.stringify({ status: reason ?? 'ready' }));
    }
    case '/metrics': {
      const { contentType, text } = await health.metrics();
      return send(response, 200, text, contentType);
    }
    default:
      return send(response, 404, JSON.stringify({ status: 'there is /healthz, /readyz and /metrics' }));
  }
}

function send(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
