import type { PipelineProto } from '#pipelines/beam/sdk.ts';
import { coderFaults } from './runner-v2-coders.ts';
import { environmentFaults } from './runner-v2-environments.ts';
import { structureFaults } from './runner-v2-structure.ts';
import { windowingFaults } from './runner-v2-windowing.ts';

/** Above this Dataflow refuses the graph of a job. */
export const GRAPH_BYTES_MAX = 10_000_000;

/** A pipeline that Dataflow's Runner v2 would refuse, or accept and never get anything through. */
export class NotForRunnerV2 extends Error {
  constructor(faults: readonly string[]) {
    super(
      `Runner v2 of Dataflow does not take the pipeline:\n${faults.map((fault) => `- ${fault}`).join('\n')}`,
    );
    this.name = 'NotForRunnerV2';
  }
}

/**
 * What Dataflow's documentation and Beam's model ask of a portable pipeline and this one does not do, a line each; nothing when all is well.
 * Whether each class can be restored by a worker is not among it: that is `assertPortable`.
 */
export const runnerV2Faults = (proto: PipelineProto): string[] => [
  ...structureFaults(proto),
  ...coderFaults(proto),
  ...windowingFaults(proto),
  ...environmentFaults(proto),
];

/** Throws NotForRunnerV2 with everything that is wrong. `bytes` is how large the pipeline is as it is sent. */
export function assertRunnerV2(proto: PipelineProto, bytes: number): void {
  const tooLarge = bytes > GRAPH_BYTES_MAX ? [`it has ${bytes} bytes, more than ${GRAPH_BYTES_MAX}`] : [];
  const faults = [...runnerV2Faults(proto), ...tooLarge];
  if (faults.length > 0) throw new NotForRunnerV2(faults);
}
