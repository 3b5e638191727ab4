import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

/** A connection whose bytes the test writes itself: for what no proper client would send, and for clients that stop in the middle. */
export interface RawConnection {
  readonly socket: Socket;
  send(text: string): void;
  /** All that came so far. */
  received(): string;
  /** Resolves once this has come. */
  hears(words: string): Promise<void>;
  /** Resolves with all that came once the server has closed the connection, or it is cut. */
  readonly closed: Promise<string>;
  /** Cuts it, as a client does that dies. */
  cut(): void;
}

/** With `keepsHalf` the client does not close when the server does. */
export async function openRaw(
  url: string,
  { keepsHalf = false }: { readonly keepsHalf?: boolean } = {},
): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: keepsHalf });
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // A connection that is reset has closed: that is all the tests ask.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  return {
    socket,
    send: (more) => void socket.write(more),
    received: () => text,
    hears: (words) =>
      eventually(`the server says ${words}`, () => text.includes(words), { explain: () => text }),
    closed,
    cut: () => void socket.destroy(),
  };
}

/** Sends a whole request on a connection of its own, and gives all that comes back. */
export async function exchangeRaw(url: string, sent: string): Promise<string> {
  const connection = await openRaw(url);
  connection.send(sent);
  return connection.closed;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly key?: string;
  readonly headers?: readonly string[];
  /** More or less of the body than is announced may follow. */
  readonly contentLength?: number;
}

/** The head of a request, with the empty line that ends it. */
export function headOf({ method = 'GET', path, key, headers = [], contentLength }: RawRequest): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: test',
    ...(key === undefined ? [] : [`Authorization: Bearer ${key}`]),
    ...(contentLength === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${contentLength}`]),
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
