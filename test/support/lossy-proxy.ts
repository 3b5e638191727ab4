import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that loses answers when a test says so. */
export interface LossyProxy {
  /** `host:port` */
  readonly address: string;
  /** From here on nothing comes back over the connections there are; what is sent still arrives. */
  swallowAnswers(): void;
  /** Breaks all connections, so that their callers hear of it. New ones are taken, unless it is shut. */
  breakConnections(): void;
  /** Takes no connections any more, until it is opened again. */
  shut(): void;
  open(): void;
  /** From here on connections are made to another server; without one, to its own again. */
  leadTo(address?: string): void;
  close(): Promise<void>;
}

export async function openLossyProxy(to: string): Promise<LossyProxy> {
  let [host = '', port = ''] = to.split(':');
  const pairs = new Set<{ near: Socket; far: Socket; mute: boolean }>();
  let isShut = false;
  const server = createServer((near) => {
    if (isShut) return void near.destroy();
    const pair = { near, far: connect(Number(port), host), mute: false };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      pair.far.destroy();
    };
    near.on('data', (bytes) => void pair.far.write(bytes));
    pair.far.on('data', (bytes) => void (pair.mute || near.write(bytes)));
    for (const socket of [near, pair.far]) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const breakConnections = (): void => {
    for (const { near } of pairs) near.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallowAnswers: () => {
      for (const pair of pairs) pair.mute = true;
    },
    breakConnections,
    shut: () => {
      isShut = true;
    },
    open: () => {
      isShut = false;
    },
    leadTo: (address = to) => {
      [host = '', port = ''] = address.split(':');
    },
    close: async () => {
      breakConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
