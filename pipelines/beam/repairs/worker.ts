import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type {
  InstructionRequest,
  InstructionResponse,
  ProcessBundleDescriptor,
  ProcessBundleRequest,
  ProcessBundleSplitRequest,
} from 'apache-beam/proto/beam_fn_api';
import type { MonitoringInfo } from 'apache-beam/proto/metrics';
import { disposeOperators } from '../operator.ts';
import { asRunningBundle, tellBundleFailure } from '../running-bundles.ts';
import { replaceMethod } from '../sdk-moved.ts';
import { fnApi, workers } from '../sdk.ts';
import type { BundleProcessor } from './bundle-processor.ts';
import { openDataChannel } from './data-channel.ts';
import type { DataChannel } from './data-channel.ts';
import { endOfStream } from './grpc-clients.ts';
import { endRoundsIfAsked, residualsOf } from './residuals.ts';

type ResponseBody = InstructionResponse['response'];
type SdkWorker = InstanceType<typeof workers.Worker>;
type MetricsShortIds = SdkWorker['metricsShortIdCache'];

interface WorkerInternals {
  readonly id: string;
  readonly controlClient: {
    getProcessBundleDescriptor(
      request: { processBundleDescriptorId: string },
      callback: (error: ServiceError | null, descriptor?: ProcessBundleDescriptor) => void,
    ): unknown;
  };
  readonly controlChannel: ClientDuplexStream<InstructionResponse, InstructionRequest>;
  readonly processBundleDescriptors: Map<string, ProcessBundleDescriptor>;
  readonly activeBundleProcessors: Map<string, BundleProcessor>;
  readonly dataChannels: Map<string, DataChannel>;
  readonly metricsShortIdCache: MetricsShortIds;
  aquireBundleProcessor(descriptorId: string): BundleProcessor;
  returnBundleProcessor(processor: BundleProcessor): void;
  handleRequest(request: InstructionRequest): Promise<void>;
  getDataChannel(endpoint: string): DataChannel;
  wait(): Promise<void>;
}

const WINDOWED_VALUE_URNS = ['beam:coder:windowed_value:v1', 'beam:coder:param_windowed_value:v1'];

/** Dataflow names the coder of the windowed value where the coder of the element belongs. */
function unwrapCoders(descriptor: ProcessBundleDescriptor): ProcessBundleDescriptor {
  for (const collection of Object.values(descriptor.pcollections)) {
    const coder = descriptor.coders[collection.coderId];
    const [element] = coder?.componentCoderIds ?? [];
    if (WINDOWED_VALUE_URNS.includes(coder?.spec?.urn ?? '') && element !== undefined)
      collection.coderId = element;
  }
  return descriptor;
}

async function loadDescriptor(worker: WorkerInternals, id: string): Promise<void> {
  if (worker.processBundleDescriptors.has(id)) return;
  const { promise, resolve, reject } = Promise.withResolvers<ProcessBundleDescriptor>();
  worker.controlClient.getProcessBundleDescriptor({ processBundleDescriptorId: id }, (error, descriptor) => {
    if (descriptor === undefined) reject(new Error(`the runner gave no descriptor ${id}`, { cause: error }));
    else resolve(descriptor);
  });
  worker.processBundleDescriptors.set(id, unwrapCoders(await promise));
}

function monitoring(worker: WorkerInternals, processor: BundleProcessor) {
  const shortIds = worker.metricsShortIdCache;
  const data = processor.monitoringData(shortIds);
  return {
    monitoringInfos: [...data].map(([id, payload]) => shortIds.asMonitoringInfo(id, payload)),
    monitoringData: Object.fromEntries(data),
  };
}

async function runBundle(
  worker: WorkerInternals,
  id: string,
  request: ProcessBundleRequest,
): Promise<ResponseBody> {
  await loadDescriptor(worker, request.processBundleDescriptorId);
  const processor = worker.aquireBundleProcessor(request.processBundleDescriptorId);
  worker.activeBundleProcessors.set(id, processor);
  try {
    // A processor whose bundle failed is dropped: the next bundle gets a clean one.
    await asRunningBundle(processor.process(id), () => void disposeOperators(processor.operators.values()));
    const processBundle = {
      residualRoots: residualsOf(processor),
      requiresFinalization: false,
      ...monitoring(worker, processor),
    };
    worker.returnBundleProcessor(processor);
    return { oneofKind: 'processBundle', processBundle };
  } finally {
    worker.activeBundleProcessors.delete(id);
  }
}

/** A runner asks for progress and splits at its own pace, so a bundle that has just ended is an ordinary answer, not an error. */
function progress(worker: WorkerInternals, bundleId: string): ResponseBody {
  const processor = worker.activeBundleProcessors.get(bundleId);
  const report = processor ? monitoring(worker, processor) : { monitoringInfos: [], monitoringData: {} };
  return { oneofKind: 'processBundleProgress', processBundleProgress: report };
}

function split(worker: WorkerInternals, request: ProcessBundleSplitRequest): ResponseBody {
  const processor = worker.activeBundleProcessors.get(request.instructionId);
  if (processor !== undefined) endRoundsIfAsked(processor, request);
  const processBundleSplit = processor?.split(request) ?? fnApi.ProcessBundleSplitResponse.create();
  return { oneofKind: 'processBundleSplit', processBundleSplit };
}

/** What the short names of metrics stand for; of those that this worker never gave it says nothing. */
function metricNames({ metricsShortIdCache }: WorkerInternals, ids: readonly string[]): ResponseBody {
  const known = ids.flatMap((id) => {
    const info = metricsShortIdCache.asMonitoringInfo(id) as MonitoringInfo | undefined;
    return info === undefined ? [] : [[id, info] as const];
  });
  return { oneofKind: 'monitoringInfos', monitoringInfos: { monitoringInfo: Object.fromEntries(known) } };
}

async function respondTo(
  worker: WorkerInternals,
  { instructionId, request }: InstructionRequest,
): Promise<ResponseBody> {
  switch (request.oneofKind) {
    case 'processBundle':
      return runBundle(worker, instructionId, request.processBundle);
    case 'processBundleProgress':
      return progress(worker, request.processBundleProgress.instructionId);
    case 'processBundleSplit':
      return split(worker, request.processBundleSplit);
    case 'monitoringInfos':
      return metricNames(worker, request.monitoringInfos.monitoringInfoId);
    case 'harnessMonitoringInfos':
      return { oneofKind: 'harnessMonitoringInfos', harnessMonitoringInfos: { monitoringData: {} } };
    case 'register':
    case 'finalizeBundle':
    case undefined:
      throw new Error(`this worker takes no instruction '${request.oneofKind ?? 'unknown'}'`);
  }
}

/** The error with its stack and causes, since the runner's log is often the only place where it is seen. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${describeError(error.cause)}`;
  return `${error.stack ?? String(error)}${cause}`;
}

async function handleRequest(this: WorkerInternals, request: InstructionRequest): Promise<void> {
  const { instructionId } = request;
  try {
    const response = await respondTo(this, request);
    this.controlChannel.write({ instructionId, error: '', response });
  } catch (error) {
    if (request.request.oneofKind === 'processBundle') tellBundleFailure(instructionId, error);
    this.controlChannel.write({
      instructionId,
      error: describeError(error),
      response: { oneofKind: undefined },
    });
  }
}

/** A stream that has ended is forgotten, so that the next bundle opens another. */
function getDataChannel(this: WorkerInternals, endpoint: string): DataChannel {
  const open = this.dataChannels.get(endpoint);
  if (open !== undefined) return open;
  const channel = openDataChannel(endpoint, this.id, () => this.dataChannels.delete(endpoint));
  this.dataChannels.set(endpoint, channel);
  return channel;
}

/** The SDK sleeps for 10⁹ ms, so that every worker ended after eleven days, in the middle of its bundles. */
async function wait(this: WorkerInternals): Promise<void> {
  await endOfStream(this.controlChannel);
}

export function repairWorker(): void {
  const prototype = workers.Worker.prototype as unknown as WorkerInternals;
  replaceMethod(prototype, 'handleRequest', 1, handleRequest);
  replaceMethod(prototype, 'getDataChannel', 1, getDataChannel);
  replaceMethod(prototype, 'wait', 0, wait);
}
