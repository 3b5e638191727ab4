import { createByteSink } from '../byte-sink.ts';
import type { IOperator, OperatorConstructor, WindowedValue } from '../sdk.ts';
import { coders, DATA_SINK_URN, fnApi, operatorConstructor, operators } from '../sdk.ts';
import type { SendChannel } from './data-channel.ts';

/** What has been gathered is sent above so many bytes. */
const SEND_ABOVE_BYTES = 1_000_000;
const SMALLEST_BUFFER_BYTES = 4_096;

interface SendChannels {
  getSendChannel(bundleId: string, transformId: string): SendChannel;
}

/**
 * Takes the place of the SDK's sink, which replaces its buffer only after the send was awaited: a call that emits more than 1 MB
 * without a pause then sent the same megabyte again with each further element. It also makes an object for each value it writes.
 */
const createSink: OperatorConstructor = (transformId, { spec }, context): IOperator => {
  const port = fnApi.RemoteGrpcPort.fromBinary(spec?.payload ?? new Uint8Array());
  const channels = context.getDataChannel(port.apiServiceDescriptor?.url ?? '') as unknown as SendChannels;
  const coder = context.pipelineContext.getCoder<WindowedValue<unknown>>(port.coderId);
  let sink = createByteSink(SMALLEST_BUFFER_BYTES);
  let channel: SendChannel | undefined;
  const opened = (): SendChannel => {
    if (channel === undefined) throw new Error('the sink has begun no bundle');
    return channel;
  };
  /** What is sent is never written into again. The next buffer is as large as this one came to be. */
  const taken = (): Uint8Array => {
    const written = sink.len;
    const data = sink.finish();
    sink = createByteSink(Math.max(SMALLEST_BUFFER_BYTES, written + (written >> 3)));
    return data;
  };
  return {
    transformId,
    startBundle: async () => {
      channel = channels.getSendChannel(context.getBundleId(), transformId);
      if (sink.len > 0) taken();
    },
    process: (value) => {
      coder.encode(value, sink as never, coders.Context.needsDelimiters);
      return sink.len > SEND_ABOVE_BYTES ? opened().sendData(taken()) : null;
    },
    finishBundle: () => opened().end(taken()),
  };
};

export function repairDataSink(): void {
  // Refuses to load where the SDK has no sink of this urn.
  operatorConstructor(DATA_SINK_URN);
  operators.registerOperatorConstructor(DATA_SINK_URN, createSink);
}
