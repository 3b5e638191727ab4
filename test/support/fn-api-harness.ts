import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type {
  Elements,
  InstructionRequest,
  InstructionResponse,
  LogControl,
  LogEntry_List,
  ProcessBundleDescriptor,
} from 'apache-beam/proto/beam_fn_api';
import controlServices from 'apache-beam/proto/beam_fn_api.grpc-server';
import provisionApi from 'apache-beam/proto/beam_provision_api';
import provisionServices from 'apache-beam/proto/beam_provision_api.grpc-server';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { buildGraph } from '#pipelines/beam/graph.ts';
import type { PCollection, WindowedValue } from '#pipelines/beam/sdk.ts';
import {
  coders,
  DATA_SINK_URN,
  DATA_SOURCE_URN,
  fnApi,
  grpc,
  pipelines,
  protobuf,
  structs,
} from '#pipelines/beam/sdk.ts';
import { inGlobalWindow } from '#pipelines/beam/windowed-value.ts';

// A runner in miniature: it serves the Fn API over real gRPC, starts a real worker process and gives it bundles of one stage,
// so that serialization, coders, module loading and the worker's protocol are what they are on a distributed runner.

export type Build = (source: PCollection<never>) => PCollection<unknown> | undefined;
export interface Stage {
  readonly id: string;
  readonly sourceTransformId: string;
  readonly encode: (elements: readonly unknown[]) => Uint8Array;
  readonly decode: (data: Uint8Array) => unknown[];
  readonly hasOutput: boolean;
}
export interface HarnessOptions {
  /** The SDK's own worker program instead of ours, to show what the repairs are for. */
  readonly stock?: boolean;
  /** What the pipeline's options tell the worker to load. */
  readonly modules: readonly string[];
  /** The runner passes nothing but the provision endpoint. */
  readonly provisioned?: boolean;
  /** Further options of the pipeline. */
  readonly options?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  /** Ids of further workers that the runner expects from the same machine; only where it is `provisioned`. */
  readonly siblings?: readonly string[];
  /** Starts the worker with the arguments that a runner gives, where that is not a process of this one. */
  readonly launch?: (args: readonly string[]) => ChildProcess;
}
export interface Bundle {
  readonly outputs: unknown[];
  readonly response: InstructionResponse;
}
export interface Exchange {
  readonly data: readonly Uint8Array[];
  readonly response: InstructionResponse;
}
export interface StartedBundle {
  /** The instruction's id, by which a runner asks for progress and splits. */
  readonly id: string;
  /** Rejects with BundleFailed and the worker's words when the worker says that it failed. */
  readonly ended: Promise<Bundle>;
}
export interface DescribedStage {
  readonly descriptor: ProcessBundleDescriptor;
  readonly stage: Stage;
}

const WORKER_ID = 'worker-1';
const WINDOWED_VALUE_URN = 'beam:coder:windowed_value:v1';
const MODULES_OPTION = 'beam:option:registered_node_modules:v1';
const PATIENCE_MS = 20_000;
const WORKER = fileURLToPath(new URL('../../pipelines/beam/worker.ts', import.meta.url));
const SHIM = new URL('../../pipelines/beam/node24.ts', import.meta.url).href;

type Call<Request, Response> = ServerDuplexStream<Request, Response>;
type Pipe = Awaited<ReturnType<typeof startServer>>;

/** Fails with what the worker printed instead of hanging for ever. */
async function patiently<T>(what: string, promise: Promise<T>, printed: () => string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} did not come; the worker printed:\n${printed()}`)),
    PATIENCE_MS,
  );
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What arrives for one bundle. */
function createExpectation() {
  const response = Promise.withResolvers<InstructionResponse>();
  const end = Promise.withResolvers<undefined>();
  const chunks: Uint8Array[] = [];
  return { response, end, chunks };
}

function createTraffic() {
  const expectations = new Map<string, ReturnType<typeof createExpectation>>();
  const expectation = (id: string) => {
    const of = expectations.get(id) ?? createExpectation();
    expectations.set(id, of);
    return of;
  };
  return {
    expectation,
    forget: (id: string): void => void expectations.delete(id),
    onResponse: (response: InstructionResponse) =>
      expectation(response.instructionId).response.resolve(response),
    onElements: ({ data }: Elements) => {
      for (const { instructionId, data: chunk, isLast } of data) {
        const { chunks, end } = expectation(instructionId);
        if (chunk.length > 0) chunks.push(chunk);
        if (isLast) end.resolve(undefined);
      }
    },
  };
}

/** The data stream that is open now; a worker opens another when one has broken. */
function createDataStreams() {
  let stream = Promise.withResolvers<Call<Elements, Elements>>();
  return {
    opened: (call: Call<Elements, Elements>) => stream.resolve(call),
    current: () => stream.promise,
    break: async () => {
      const broken = await stream.promise;
      stream = Promise.withResolvers();
      broken.emit('error', { code: grpc.status.INTERNAL, details: 'the runner lost its data' });
    },
  };
}

const pipelineOptionsOf = ({ modules, options = {} }: HarnessOptions) => ({
  ...options,
  [MODULES_OPTION]: [...modules],
});

const provisionInfo = (url: string, options: HarnessOptions) =>
  provisionApi.ProvisionInfo.create({
    pipelineOptions: structs.Struct.fromJson(pipelineOptionsOf(options)),
    controlEndpoint: { url },
    loggingEndpoint: { url },
    siblingWorkerIds: [...(options.siblings ?? [])],
  });

async function startServer(options: HarnessOptions) {
  const control = Promise.withResolvers<Call<InstructionResponse, InstructionRequest>>();
  const dataStreams = createDataStreams();
  const descriptors = new Map<string, ProcessBundleDescriptor>();
  const descriptorCallers: string[] = [];
  const workerIds: string[] = [];
  const log: string[] = [];
  const traffic = createTraffic();
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  server.addService(controlServices.beamFnControlDefinition, {
    control: (call: Call<InstructionResponse, InstructionRequest>) => {
      call.on('data', traffic.onResponse).on('error', () => undefined);
      workerIds.push(...call.metadata.get('worker_id').map(String));
      control.resolve(call);
    },
    getProcessBundleDescriptor: (
      call: ServerUnaryCall<{ processBundleDescriptorId: string }, ProcessBundleDescriptor>,
      reply: sendUnaryData<ProcessBundleDescriptor>,
    ) => {
      descriptorCallers.push(...call.metadata.get('worker_id').map(String));
      const descriptor = descriptors.get(call.request.processBundleDescriptorId);
      if (descriptor === undefined) reply({ code: grpc.status.NOT_FOUND });
      else reply(null, descriptor);
    },
  });
  server.addService(controlServices.beamFnDataDefinition, {
    data: (call: Call<Elements, Elements>) => {
      call.on('data', traffic.onElements).on('error', () => undefined);
      dataStreams.opened(call);
    },
  });
  server.addService(controlServices.beamFnLoggingDefinition, {
    logging: (call: Call<LogEntry_List, LogControl>) => {
      call.on('data', ({ logEntries }: LogEntry_List) =>
        log.push(...logEntries.map(({ message }) => message)),
      );
      call.on('error', () => undefined).on('end', () => call.end());
    },
  });
  let url = '';
  server.addService(provisionServices.provisionServiceDefinition, {
    getProvisionInfo: (_call: unknown, reply: sendUnaryData<object>) =>
      reply(null, { info: provisionInfo(url, options) }),
  });
  const bound = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
    error ? bound.reject(error) : bound.resolve(port),
  );
  url = `127.0.0.1:${await bound.promise}`;
  return {
    server,
    url,
    control: control.promise,
    dataStreams,
    descriptors,
    descriptorCallers,
    workerIds,
    log,
    traffic,
  };
}

function startWorker(url: string, options: HarnessOptions): ChildProcess {
  const { stock = false, provisioned = false, launch } = options;
  const pipelineOptions = JSON.stringify(pipelineOptionsOf(options));
  const program = stock
    ? ['--import', SHIM, createRequire(import.meta.url).resolve('apache-beam/worker/worker_main')]
    : [WORKER];
  const endpoints = provisioned
    ? [`--id='${WORKER_ID}'`, `--provision_endpoint=${url}`]
    : [`--id=${WORKER_ID}`, `--control_endpoint=${url}`, `--options=${pipelineOptions}`];
  const logging = stock || provisioned ? [] : [`--logging_endpoint=${url}`];
  if (launch !== undefined) return launch([...endpoints, ...logging]);
  const args = ['--disable-warning=ExperimentalWarning', ...program, ...endpoints, ...logging];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

const capture = (stream: NodeJS.ReadableStream | null): (() => string) => {
  const chunks: string[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return () => chunks.join('');
};

export const windowedCoder = (element: string, window: string) => ({
  spec: { urn: WINDOWED_VALUE_URN, payload: new Uint8Array() },
  componentCoderIds: [element, window],
});

/** The runner's end of a data stream: its address and what it writes and reads there. */
export const dataPort = (url: string, coderId: string): Uint8Array =>
  fnApi.RemoteGrpcPort.toBinary(fnApi.RemoteGrpcPort.create({ apiServiceDescriptor: { url }, coderId }));

/** The stage's transforms with the runner's source before and its sink behind them. */
function describeStage(build: Build, url: string, id: string): DescribedStage {
  let output: PCollection<unknown> | undefined;
  const graph = buildGraph<never>((source) => {
    output = build(source);
  });
  const components = graph.proto.components;
  const source = components?.transforms[graph.sourceTransformId];
  if (components === undefined || source === undefined) throw new Error('the stage has no source');
  const coderOf = (collectionId: string): string => {
    const { coderId = '', windowingStrategyId = '' } = components.pcollections[collectionId] ?? {};
    const windowCoderId = components.windowingStrategies[windowingStrategyId]?.windowCoderId ?? '';
    components.coders[`windowed_${collectionId}`] = windowedCoder(coderId, windowCoderId);
    return `windowed_${collectionId}`;
  };
  const inCoder = coderOf(graph.sourceCollectionId);
  source.spec = { urn: DATA_SOURCE_URN, payload: dataPort(url, inCoder) };
  const outCoder = output && coderOf(output.getId());
  if (output && outCoder) {
    const spec = { urn: DATA_SINK_URN, payload: dataPort(url, outCoder) };
    const sink = { ...source, uniqueName: 'sink', inputs: { in: output.getId() }, outputs: {}, spec };
    components.transforms['sink'] = sink;
  }
  const { transforms, pcollections, windowingStrategies } = components;
  const parts = { id, transforms, pcollections, windowingStrategies, coders: components.coders };
  const context = new pipelines.PipelineContext(components, '');
  const stage: Stage = {
    id,
    sourceTransformId: graph.sourceTransformId,
    hasOutput: outCoder !== undefined,
    encode: (elements) => {
      const writer = protobuf.Writer.create();
      const coder = context.getCoder<WindowedValue<unknown>>(inCoder);
      for (const element of elements)
        coder.encode(inGlobalWindow(element), writer, coders.Context.needsDelimiters);
      return writer.finish();
    },
    decode: (data) => {
      const reader = protobuf.Reader.create(data);
      const coder = context.getCoder<WindowedValue<unknown>>(outCoder ?? '');
      const decoded: unknown[] = [];
      while (reader.pos < reader.len)
        decoded.push(coder.decode(reader, coders.Context.needsDelimiters).value);
      return decoded;
    },
  };
  return { descriptor: fnApi.ProcessBundleDescriptor.create(parts), stage };
}

export class BundleFailed extends Error {}

function createHarness(pipe: Pipe, child: ChildProcess) {
  const { traffic } = pipe;
  const stdout = capture(child.stdout);
  const stderr = capture(child.stderr);
  const exit = Promise.withResolvers<number | null>();
  child.on('close', (code) => exit.resolve(code));
  const printed = (): string => stdout() + stderr();
  const died = exit.promise.then((code) => {
    throw new Error(`the worker exited with ${code}:\n${printed()}`);
  });
  died.catch(() => undefined);
  const wait = <T>(what: string, promise: Promise<T>): Promise<T> =>
    patiently(what, Promise.race([promise, died]), printed);
  let ids = 0;
  const nextId = (): string => `id-${(ids += 1)}`;
  const instruct = async (
    id: string,
    request: InstructionRequest['request'],
  ): Promise<InstructionResponse> => {
    (await wait('the control stream', pipe.control)).write({ instructionId: id, request });
    return wait(`the response of ${id}`, traffic.expectation(id).response.promise);
  };
  const sendData = async (
    id: string,
    transformId: string,
    messages: readonly Uint8Array[],
  ): Promise<void> => {
    const stream = await wait('the data stream', pipe.dataStreams.current());
    const parts = [
      ...messages.map((data) => ({ data, isLast: false })),
      { data: new Uint8Array(), isLast: true },
    ];
    for (const part of parts)
      stream.write({ data: [{ instructionId: id, transformId, ...part }], timers: [] });
  };
  const exited = (): Promise<number | null> => patiently('the worker’s end', exit.promise, printed);
  return { exited, stdout, stderr, wait, nextId, instruct, sendData };
}

/** Cuts elements into so many messages. */
function messagesOf(stage: Stage, elements: readonly unknown[], count: number): Uint8Array[] {
  const size = Math.max(1, Math.ceil(elements.length / count));
  return Array.from({ length: count }, (_, i) => stage.encode(elements.slice(i * size, (i + 1) * size)));
}

export async function startFnApiRunner(options: HarnessOptions) {
  const pipe = await startServer(options);
  const child = startWorker(pipe.url, options);
  const { exited, stdout, stderr, wait, nextId, instruct, sendData } = createHarness(pipe, child);
  const { traffic, descriptors, descriptorCallers, dataStreams, log, url, control } = pipe;
  const add = ({ descriptor, stage }: DescribedStage): Stage => {
    descriptors.set(stage.id, descriptor);
    return stage;
  };
  const exchange = async (id: string, stage: Stage, data: readonly Uint8Array[]): Promise<Exchange> => {
    const processBundle = { processBundleDescriptorId: stage.id, cacheTokens: [] };
    const responding = instruct(id, { oneofKind: 'processBundle', processBundle: { ...processBundle } });
    responding.catch(() => undefined);
    await Promise.race([sendData(id, stage.sourceTransformId, data), responding]);
    const response = await responding;
    if (response.error !== '') throw new BundleFailed(response.error);
    const { end, chunks } = traffic.expectation(id);
    if (stage.hasOutput) await wait(`the last output of ${id}`, end.promise);
    traffic.forget(id);
    return { data: chunks, response };
  };
  const runBundle = async (
    id: string,
    stage: Stage,
    elements: readonly unknown[],
    messages: number,
  ): Promise<Bundle> => {
    const { data, response } = await exchange(id, stage, messagesOf(stage, elements, messages));
    return { outputs: data.flatMap(stage.decode), response };
  };
  return {
    url,
    /** The worker's exit code, once it has ended by itself. */
    exited,
    stdout,
    stderr,
    /** The lines the worker sent to the runner's log. */
    log,
    /** The worker ids that came with the requests for a descriptor. */
    descriptorCallers,
    workerId: WORKER_ID,
    /** The ids of all workers that have connected. */
    workerIds: pipe.workerIds,
    /** The process that was started for the worker. */
    process: child,
    connected: async (): Promise<void> => {
      await wait('the control stream', control);
    },
    stage: (build: Build): Stage => add(describeStage(build, url, nextId())),
    /** A stage that is described elsewhere, for the address of this runner and under this id. */
    describe: (of: (runnerUrl: string, id: string) => DescribedStage): Stage => add(of(url, nextId())),
    /** Runs one bundle. Rejects with BundleFailed and the worker's words when the worker says that it failed. */
    run: (stage: Stage, elements: readonly unknown[], messages = 1): Promise<Bundle> =>
      runBundle(nextId(), stage, elements, messages),
    /** Runs one bundle of elements that are encoded already, and leaves its outputs encoded. */
    exchange: (stage: Stage, data: readonly Uint8Array[]): Promise<Exchange> =>
      exchange(nextId(), stage, data),
    /** Starts a bundle, to ask something of it while it runs. */
    start: (stage: Stage, elements: readonly unknown[]): StartedBundle => {
      const id = nextId();
      return { id, ended: runBundle(id, stage, elements, 1) };
    },
    instruct: (request: InstructionRequest['request']): Promise<InstructionResponse> =>
      instruct(nextId(), request),
    /** As a runner that is done with the worker. */
    endControl: async (): Promise<void> => {
      (await wait('the control stream', control)).end();
    },
    breakData: (): Promise<void> => wait('the data stream', dataStreams.break()),
    /** As a runner that fails. */
    breakControl: async (): Promise<void> => {
      (await wait('the control stream', control)).emit('error', {
        code: grpc.status.INTERNAL,
        details: 'the runner failed',
      });
    },
    close: async (): Promise<void> => {
      child.kill();
      await exited();
      pipe.server.forceShutdown();
    },
  };
}

export type FnApiRunner = Awaited<ReturnType<typeof startFnApiRunner>>;
