// What the SDK does in the places that the repairs change. Run as a program it shows the SDK as it was published: nothing here
// loads the repairs.
import type { Reader, Writer } from 'protobufjs';
import {
  coders,
  DATA_SINK_URN,
  fnApi,
  instantOf,
  jsCoders,
  metrics,
  operatorConstructor,
  protobuf,
  standardCoders,
  values,
} from '#pipelines/beam/sdk.ts';
import { probeCheckpoints } from './probe-checkpoints.ts';

const MIN_TIMESTAMP_MS = -9_223_372_036_854_775;
const ONLY_PANE = { isFirst: true, isLast: true, index: 0, onTimeIndex: 0, timing: values.Timing.UNKNOWN };

interface AnyCoder {
  encode(value: unknown, writer: Writer, context: string): void;
  decode(reader: Reader, context: string): unknown;
}

/** JSON without a bigint, NaN and bytes would not show the difference. */
const describeValue = (value: unknown): string => {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'object' && value !== null)
    return `${value.constructor.name} ${JSON.stringify(value)}`;
  return Object.is(value, -0) ? '-0' : String(value);
};

export function roundTrip(coder: unknown, value: unknown): string {
  const any = coder as AnyCoder;
  const writer = protobuf.Writer.create();
  try {
    any.encode(value, writer, 'needsDelimiters');
    return describeValue(any.decode(protobuf.Reader.create(writer.finish()), 'needsDelimiters'));
  } catch (error) {
    return error instanceof Error ? error.constructor.name : 'error';
  }
}

const bytesField = (value: object): string => {
  const writer = protobuf.Writer.create();
  const coder = new jsCoders.GeneralObjectCoder<{ bytes?: unknown }>();
  coder.encode(value, writer, 'needsDelimiters' as never);
  return describeValue(
    coder.decode(protobuf.Reader.create(writer.finish()), 'needsDelimiters' as never).bytes,
  );
};

/** Elements of 99 bytes handed to a sink in one synchronous loop, and what it hands on. */
export async function sinkTraffic(elements: number): Promise<{ given: number; sent: number }> {
  const element = Buffer.alloc(98);
  let sent = 0;
  const channel = {
    sendData: async (data: Uint8Array) => {
      sent += data.length;
    },
    close: () => undefined,
    end: async (data: Uint8Array) => {
      sent += data.length;
    },
  };
  const payload = fnApi.RemoteGrpcPort.toBinary(
    fnApi.RemoteGrpcPort.create({ apiServiceDescriptor: { url: 'unused' }, coderId: 'bytes' }),
  );
  const context = {
    getDataChannel: () => ({ getSendChannel: () => channel }),
    getBundleId: () => 'bundle',
    pipelineContext: { getCoder: () => ({ encode: (_: unknown, writer: Writer) => writer.bytes(element) }) },
  };
  const sink = operatorConstructor(DATA_SINK_URN)('sink', { spec: { payload } } as never, context as never);
  await sink.startBundle();
  for (let i = 0; i < elements; i += 1) void sink.process({} as never);
  await sink.finishBundle();
  return { given: elements * (element.length + 1), sent };
}

function counterAfterReset(): number {
  const cell = new metrics.MetricsContainer().getMetric('t', undefined, {
    metricType: 'beam:metric:user:sum_int64:v1',
    name: 'n',
  });
  cell.update(5);
  cell.reset();
  cell.update(1);
  return (cell as unknown as { value: { extract(): number } }).value.extract();
}

/** The bytes of values that say when and where they are, of groups, of bytes and of texts: repairs must not change them. */
function wireBytes(): string {
  const { FullWindowedValueCoder, GlobalWindowCoder, IntervalWindowCoder, KVCoder, IterableCoder } =
    standardCoders;
  const { LengthPrefixedCoder, BytesCoder, StrUtf8Coder } = standardCoders;
  const { IntervalWindow, GlobalWindow, Timing } = values;
  const global = new FullWindowedValueCoder(new StrUtf8Coder(), new GlobalWindowCoder());
  const group = new KVCoder(new StrUtf8Coder(), new IterableCoder(new LengthPrefixedCoder(new BytesCoder())));
  const windowed = new FullWindowedValueCoder(group, new IntervalWindowCoder());
  const writer = protobuf.Writer.create();
  const times = [0, -1, 1, 1_700_000_000_123, MIN_TIMESTAMP_MS].map((time) => instantOf(time) as never);
  const pane = { isFirst: true, isLast: false, index: 3, onTimeIndex: -1, timing: Timing.EARLY };
  for (const timestamp of times) {
    const window = new IntervalWindow(timestamp, instantOf(1_700_000_060_000));
    const value = { key: 'kö', value: [Uint8Array.of(0, 255), new Uint8Array(200)] };
    const context = coders.Context.needsDelimiters;
    windowed.encode({ value, windows: [window, window], pane, timestamp }, writer, context);
    global.encode(
      { value: 'text', windows: [new GlobalWindow()], pane: ONLY_PANE, timestamp },
      writer,
      context,
    );
  }
  return Buffer.from(writer.finish()).toString('hex');
}

export async function probeSdk() {
  const general = new jsCoders.GeneralObjectCoder();
  const { sent, given } = await sinkTraffic(10_300);
  return {
    int64: roundTrip(standardCoders.VarIntCoder.INSTANCE, 1_700_000_000_000),
    largeElement: roundTrip(general, 2 ** 40),
    nan: roundTrip(general, NaN),
    infinity: roundTrip(general, -Infinity),
    bytes: bytesField({ bytes: Uint8Array.of(1, 2) }),
    instance: roundTrip(general, new URL('https://example.com')),
    pane: { ...standardCoders.PaneInfoCoder.ONE_AND_ONLY_FIRING },
    byteOrderMark: roundTrip(new standardCoders.StrUtf8Coder(), '\ufefftext').length,
    wireBytes: wireBytes(),
    sinkSentTwice: sent > given,
    counterAfterReset: counterAfterReset(),
    checkpoints: await probeCheckpoints(),
  };
}

if (import.meta.main) process.stdout.write(JSON.stringify(await probeSdk()));
