import { connect, createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';
const PROBE_MS = 1_000;

/** A port of the loopback interface that nobody listened on a moment ago: another program may take it before its user does. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Whether something accepts connections at `host:port` within a second. */
export const answersAt = (hostAndPort: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { host, port } = splitAddress(hostAndPort);
    const socket = connect({ host, port });
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(PROBE_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

/** Whether nothing listens at `host:port`: what only takes long, on either side, is no refusal. */
export const refusesAt = (hostAndPort: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { host, port } = splitAddress(hostAndPort);
    const socket = connect({ host, port });
    const end = (refuses: boolean): void => {
      socket.destroy();
      resolve(refuses);
    };
    socket.setTimeout(PROBE_MS, () => end(false));
    socket.once('connect', () => end(false));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'));
  });

/** `host:port`, or a URL. A text that is neither gives port 0, where nothing answers. */
export function splitAddress(text: string): { readonly host: string; readonly port: number } {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null) return { host: LOOPBACK, port: 0 };
  const defaultPort = url.protocol === 'https:' ? 443 : 80;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || defaultPort) };
}
