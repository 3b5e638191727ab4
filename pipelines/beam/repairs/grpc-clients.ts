import type {
  ClientOptions,
  ChannelCredentials,
  ClientDuplexStream,
  Metadata,
  StatusObject,
} from '@grpc/grpc-js';
import { replaceMethod, SdkMoved } from '../sdk-moved.ts';
import { fnClients, grpc } from '../sdk.ts';

type ControlStream = ClientDuplexStream<never, never>;
type DescriptorCallback = (error: Error | null, descriptor?: unknown) => void;
type Rest = [Metadata | DescriptorCallback, (object | DescriptorCallback)?, DescriptorCallback?];
interface PatchableControlClient {
  control(metadata: Metadata, options?: object): ControlStream;
  getProcessBundleDescriptor(request: object, ...rest: Rest): unknown;
}

/** A runner may send a bundle as one message; grpc-js refuses messages above 4 MiB unless told otherwise. */
const NO_MESSAGE_LIMIT: ClientOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
};

class UnlimitedClient extends grpc.Client {
  constructor(address: string, credentials: ChannelCredentials, options?: ClientOptions) {
    super(address, credentials, { ...options, ...NO_MESSAGE_LIMIT });
  }
}

function liftMessageLimits(): void {
  const { BeamFnControlClient, BeamFnDataClient, BeamFnStateClient } = fnClients;
  for (const client of [BeamFnControlClient, BeamFnDataClient, BeamFnStateClient]) {
    if (Object.getPrototypeOf(client) !== grpc.Client) throw new SdkMoved(`the base class of ${client.name}`);
    Object.setPrototypeOf(client, UnlimitedClient);
  }
}

const ends = new WeakMap<object, Promise<StatusObject>>();
const metadataOf = new WeakMap<object, Metadata>();

/** The status a control stream ended with; it never rejects. */
export const endOfStream = (stream: object): Promise<StatusObject> | undefined => ends.get(stream);

/** Without a listener for 'error' the end of a control stream is an uncaught exception that kills the whole process. */
function watchControlStreams(): void {
  const prototype = fnClients.BeamFnControlClient.prototype as unknown as PatchableControlClient;
  const open: PatchableControlClient['control'] = replaceMethod(prototype, 'control', 2, control);
  function control(this: PatchableControlClient, metadata: Metadata, options?: object): ControlStream {
    const stream = open.call(this, metadata, options);
    metadataOf.set(this, metadata);
    const { promise, resolve } = Promise.withResolvers<StatusObject>();
    ends.set(stream, promise);
    stream.on('status', resolve);
    // The status says the same; the listener is what keeps the process alive.
    stream.on('error', () => undefined);
    return stream;
  }
}

/** Runners that serve all workers on one port tell them apart by `worker_id`, which this one call does not send. */
function nameTheWorker(): void {
  const prototype = fnClients.BeamFnControlClient.prototype as unknown as PatchableControlClient;
  type Get = PatchableControlClient['getProcessBundleDescriptor'];
  const get: Get = replaceMethod(prototype, 'getProcessBundleDescriptor', 4, getWithWorkerId);
  function getWithWorkerId(this: PatchableControlClient, request: object, ...rest: Rest): unknown {
    const metadata = metadataOf.get(this);
    const [callback] = rest;
    if (metadata === undefined || typeof callback !== 'function') return get.call(this, request, ...rest);
    return get.call(this, request, metadata, callback);
  }
}

export function repairGrpcClients(): void {
  liftMessageLimits();
  watchControlStreams();
  nameTheWorker();
}
