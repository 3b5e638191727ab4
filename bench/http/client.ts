import { Agent, request } from 'node:http';

/** One request, made anew for each sending. */
export interface Shot {
  readonly method: string;
  readonly path: string;
  /** Large ones as bytes: a text is encoded each time it is sent. */
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** The status that is right. */
  readonly status: number;
}

/** A client that keeps its connections, as services in production do. */
export interface Client {
  /** Resolves with the milliseconds from `dueAt` (of the monotonic clock) to the last byte. Throws on any other status. */
  send(shot: Shot, dueAt: number): Promise<number>;
  close(): void;
}

export function createClient(url: string, connections: number): Client {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const send = ({ method, path, body, headers = {}, status }: Shot, dueAt: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const sent = request(
        { hostname, port, agent, method, path, headers: { ...headers, ...length } },
        (answer) => {
          let text = '';
          answer.on('data', (chunk: Buffer) => {
            if (answer.statusCode !== status) text += chunk.toString();
          });
          answer.on('end', () => {
            if (answer.statusCode === status) resolve(performance.now() - dueAt);
            else
              reject(
                new Error(`${method} ${path} answered ${String(answer.statusCode)}: ${text.slice(0, 300)}`),
              );
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}

/**
 * Sends at a steady rate, whether or not answers keep up; gives every latency, in milliseconds. Only the number of an answer is kept: what
 * else is remembered of it is work for the client's collector, whose pauses count as latency.
 */
export async function sendSteadily(
  client: Client,
  shots: (index: number) => Shot,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<Float64Array> {
  const startedAt = performance.now();
  const count = perSecond * seconds;
  const latencies = new Float64Array(count);
  const { promise: answered, resolve, reject } = Promise.withResolvers<void>();
  // Heard of when all are sent.
  answered.catch(() => undefined);
  let left = count;
  const send = async (index: number): Promise<void> => {
    latencies[index] = await client.send(shots(index), startedAt + (index * 1_000) / perSecond);
    if (--left === 0) resolve();
  };
  for (let index = 0; index < count;) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000) + 1);
    for (; index < due; index++) send(index).catch(reject);
    await new Promise((waited) => setTimeout(waited, 1));
  }
  await answered;
  return latencies;
}

/** Sends as fast as answers come, on so many connections at once; gives the seconds it took. */
export async function sendAll(
  client: Client,
  shots: (index: number) => Shot,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await client.send(shots(next++), 0);
  };
  await Promise.all(Array.from({ length: connections }, one));
  return (performance.now() - startedAt) / 1_000;
}

export function quantile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
