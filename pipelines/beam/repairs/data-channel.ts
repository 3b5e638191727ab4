import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Elements } from 'apache-beam/proto/beam_fn_api';
import { once } from 'node:events';
import { fnClients, grpc } from '../sdk.ts';
import { createDataInboxes } from './data-inboxes.ts';
import type { DataConsumer, DataInboxes } from './data-inboxes.ts';

type DataStream = ClientDuplexStream<Elements, Elements>;

/** Takes the place of the SDK's MultiplexingDataChannel: one stream to the runner, shared by all bundles. */
export interface DataChannel {
  registerConsumer(bundleId: string, transformId: string, consumer: DataConsumer): Promise<void>;
  unregisterConsumer(bundleId: string, transformId: string): void;
  forget(bundleId: string): void;
  getSendChannel(bundleId: string, transformId: string): SendChannel;
  close(): void;
}

/** Where the outputs of one bundle and transform go. Each promise resolves when the stream takes more. */
export interface SendChannel {
  sendData(data: Uint8Array): Promise<void>;
  /** What is left, which may be nothing, and the end. */
  end(data: Uint8Array): Promise<void>;
}

/** Above so many bytes that running bundles have not taken yet, no more is read from the stream. */
const MAX_UNTAKEN_BYTES = 64 * 1024 * 1024;

/** Reading stops while running bundles lag behind. What waits for a bundle to begin is not counted: its begin must never wait for it. */
function createBackPressure(stream: DataStream): { hold(bytes: number): void; release(bytes: number): void } {
  let untaken = 0;
  return {
    hold: (bytes) => {
      untaken += bytes;
      if (untaken > MAX_UNTAKEN_BYTES) stream.pause();
    },
    release: (bytes) => {
      untaken -= bytes;
      if (untaken <= MAX_UNTAKEN_BYTES && stream.isPaused()) stream.resume();
    },
  };
}

/**
 * The SDK handles the messages of one bundle at the same time: when a DoFn yielded, the last message closed the bundle
 * before the earlier ones were through, and their elements were lost. Here each inbox is emptied in order.
 */
function receiveInto(inboxes: DataInboxes, stream: DataStream): void {
  const pressure = createBackPressure(stream);
  const receive = async ({
    instructionId,
    transformId,
    data,
    isLast,
  }: Elements['data'][number]): Promise<void> => {
    const held = inboxes.attached(instructionId, transformId) ? data.length : 0;
    pressure.hold(held);
    await inboxes.deliver(instructionId, transformId, async (consumer) => {
      if (data.length > 0) await consumer.sendData(data);
      if (isLast) consumer.close();
    });
    pressure.release(held);
  };
  stream.on('data', ({ data, timers }: Elements) => {
    for (const part of data) void receive(part);
    for (const { instructionId, transformId, timerFamilyId, timers: part, isLast } of timers) {
      void inboxes.deliver(instructionId, transformId, async (consumer) => {
        await consumer.sendTimers(timerFamilyId, part);
        if (isLast) consumer.close();
      });
    }
  });
}

/** Resolves when the stream takes more; all senders share one wait. */
function createWriter(stream: DataStream): (elements: Elements) => Promise<void> {
  let drained: Promise<void> | undefined;
  return async (elements) => {
    if (stream.write(elements)) return;
    drained ??= once(stream, 'drain').then(
      () => (drained = undefined),
      (error: unknown) => {
        drained = undefined;
        throw error;
      },
    );
    await drained;
  };
}

const NOTHING = new Uint8Array();

function sendChannel(
  write: (elements: Elements) => Promise<void>,
  instructionId: string,
  transformId: string,
): SendChannel {
  const part = (data: Uint8Array, isLast: boolean) => ({ instructionId, transformId, data, isLast });
  return {
    sendData: (data) => write({ data: [part(data, false)], timers: [] }),
    // In one message, since most bundles have little to say. Data and end stay two parts: some runners look at only one of the two.
    end: (data) =>
      write({
        data: data.length > 0 ? [part(data, false), part(NOTHING, true)] : [part(NOTHING, true)],
        timers: [],
      }),
  };
}

/** `onEnd` is called once, when the stream has ended for whatever reason: bundles that wait for its data have been failed. */
export function openDataChannel(endpoint: string, workerId: string, onEnd: () => void): DataChannel {
  const metadata = new grpc.Metadata();
  metadata.add('worker_id', workerId);
  const client = new fnClients.BeamFnDataClient(endpoint, grpc.credentials.createInsecure());
  const stream = client.data(metadata);
  const inboxes = createDataInboxes();
  receiveInto(inboxes, stream);
  let ended: Error | undefined;
  stream.on('error', () => undefined);
  stream.on('status', ({ code, details }) => {
    ended = new Error(`the data stream of ${endpoint} ended: ${details} (${code})`);
    inboxes.fail(ended);
    client.close();
    onEnd();
  });
  const write = createWriter(stream);
  return {
    // An operator keeps its channel from bundle to bundle: on a dead one its bundle must fail, not wait for ever.
    registerConsumer: async (bundleId, transformId, consumer) => {
      if (ended !== undefined) throw ended;
      inboxes.attach(bundleId, transformId, consumer);
    },
    unregisterConsumer: (bundleId, transformId) => inboxes.close(bundleId, transformId),
    forget: (bundleId) => inboxes.forget(bundleId),
    getSendChannel: (bundleId, transformId) => sendChannel(write, bundleId, transformId),
    close: () => void stream.end(),
  };
}
