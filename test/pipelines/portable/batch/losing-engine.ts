import { assertPortable } from '#pipelines/beam/portability.ts';
import { createBatchEngine } from '#pipelines/beam/batch-engine.ts';
import { COMBINE_PER_KEY_URN } from '#pipelines/beam/combining.ts';
import { GROUP_BY_KEY_URN } from '#pipelines/beam/grouping.ts';
import { operatorConstructor, operators } from '#pipelines/beam/sdk.ts';
import { boundedPipeline, type RunJob } from '#pipelines/portable/batch/batch-job.ts';

/** What an engine does wrong on its way into a grouping, without a word. */
export interface Fault {
  /** Part of the grouping's name. */
  readonly step: string;
  /** From the first element on, every so many is wrong. */
  readonly every: number;
  /** How often it arrives instead of once. */
  readonly times: 0 | 2;
}

async function* one(): AsyncGenerator<number> {
  yield 0;
}

/** Runs jobs in this process, on the batch engine. */
export const inProcess: RunJob = async (_name, build) => {
  assertPortable(boundedPipeline(build));
  await createBatchEngine(build).run(one());
};

/** The same on an engine with a fault. Rejects, too, where the fault has found nothing to do. */
export const losing =
  ({ step, every, times }: Fault): RunJob =>
  async (name, build, signal) => {
    let seen = 0;
    const restore = [GROUP_BY_KEY_URN, COMBINE_PER_KEY_URN].map((urn) => {
      const construct = operatorConstructor(urn);
      operators.registerOperatorConstructor(urn, (id, transform, context) => {
        const operator = construct(id, transform, context);
        if (!transform.uniqueName.includes(step)) return operator;
        return {
          transformId: id,
          startBundle: (...of) => operator.startBundle(...of),
          finishBundle: () => operator.finishBundle(),
          process: (element) => {
            const arrives = seen++ % every === 0 ? times : 1;
            if (arrives === 2) void operator.process(element);
            return arrives === 0 ? null : operator.process(element);
          },
        };
      });
      return () => operators.registerOperatorConstructor(urn, construct);
    });
    try {
      await inProcess(name, build, signal);
    } finally {
      for (const each of restore) each();
    }
    if (seen === 0) throw new Error(`no grouping is called ${step}`);
  };
