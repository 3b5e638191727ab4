// Part of the probes: what a worker does with an operator that leaves something to do. Nothing here loads the repairs.
import type { InstructionRequest, InstructionResponse } from 'apache-beam/proto/beam_fn_api';
import { fnApi, workers } from '#pipelines/beam/sdk.ts';

interface HandlesRequests {
  handleRequest(request: InstructionRequest): Promise<void>;
}

const START: InstructionRequest = {
  instructionId: 'bundle',
  request: {
    oneofKind: 'processBundle',
    processBundle: fnApi.ProcessBundleRequest.create({ processBundleDescriptorId: 'stage' }),
  },
};
const END_SOON: InstructionRequest = {
  instructionId: 'split',
  request: {
    oneofKind: 'processBundleSplit',
    processBundleSplit: fnApi.ProcessBundleSplitRequest.create({
      instructionId: 'bundle',
      desiredSplits: {
        source: { fractionOfRemainder: 0, allowedSplitPoints: [], estimatedInputElements: 1n },
      },
    }),
  },
};

/** A worker without a runner, whose one stage is one operator; `during` is sent while its bundle runs. */
function workerOf(operator: object, during: InstructionRequest, write: (of: InstructionResponse) => void) {
  const processor = {
    descriptor: { id: 'stage' },
    topologicallyOrderedOperators: [operator],
    process: () => worker.handleRequest(during),
    split: () => fnApi.ProcessBundleSplitResponse.create(),
    monitoringData: () => new Map(),
  };
  const worker = Object.assign(Object.create(workers.Worker.prototype) as HandlesRequests, {
    processBundleDescriptors: new Map([['stage', {}]]),
    bundleProcessors: new Map([['stage', [processor]]]),
    activeBundleProcessors: new Map(),
    controlChannel: { write },
  });
  return worker;
}

/** How many residuals a worker answers with for an operator that has one, and how often it asks the operator to end its bundle. */
export async function probeCheckpoints(): Promise<{ residuals: number; asked: number }> {
  let asked = 0;
  let residuals = 0;
  const operator = {
    transformId: 'read',
    checkpoint: () => (asked += 1),
    takeResiduals: () => [fnApi.DelayedBundleApplication.create()],
  };
  const worker = workerOf(operator, END_SOON, ({ response }) => {
    if (response.oneofKind === 'processBundle') residuals = response.processBundle.residualRoots.length;
  });
  // As published it prints every instruction, to where the result of the probes goes.
  const { log } = console;
  Object.assign(console, { log: () => undefined });
  try {
    await worker.handleRequest(START);
  } finally {
    Object.assign(console, { log });
  }
  return { residuals, asked };
}
