import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { LOOPBACK } from '#infra/emulators/loopback.ts';

/** A way to an emulator that a test can break, mend, and lead elsewhere. */
export interface BreakableProxy {
  /** `host:port` */
  readonly address: string;
  /** Ends every connection and takes no more. */
  break(): void;
  /** Leads every new connection there. */
  mend(target?: string): void;
  close(): Promise<void>;
}

export async function breakableProxy(target: string): Promise<BreakableProxy> {
  const sockets = new Set<Socket>();
  let host: string | undefined = target;
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((incoming) => {
    if (host === undefined) return void incoming.destroy();
    const url = new URL(`http://${host}`);
    const outgoing = connect(Number(url.port), url.hostname);
    join(incoming, outgoing);
    join(outgoing, incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const endAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    address: `${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    break: () => {
      host = undefined;
      endAll();
    },
    mend: (to = target) => {
      host = to;
    },
    close: async () => {
      endAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
