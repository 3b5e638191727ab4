// DoFns that show what becomes of a worker and of what it was told: a module of its own, since it leaves work for the worker's end.
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { pipelineOptions } from '#pipelines/beam/pipeline-options.ts';
import { register } from '#pipelines/beam/registration.ts';
import { onWorkerEnd } from '#pipelines/beam/worker-end.ts';

/** Read while the module loads: what the pipeline brings must be there by then. */
const region = process.env['MILLRACE_TEST_REGION'];

onWorkerEnd(() => void process.stderr.write('{"level":"info","message":"gave back"}\n'));
onWorkerEnd(() => {
  throw new Error('could not give back');
});

export class TellOptions implements AsyncDoFn<number, unknown> {
  process(): unknown[] {
    return [pipelineOptions()['job_name'], region, process.env['PATH'] === 'overwritten'];
  }
}

/** Throws where nobody can catch it, and never ends by itself. */
export class ThrowAside implements AsyncDoFn<number, number> {
  process(value: number): Promise<number[]> {
    if (value > 0) return Promise.resolve([value]);
    setImmediate(() => {
      throw new Error('thrown aside');
    });
    return new Promise(() => undefined);
  }
}

export class TearDown implements AsyncDoFn<number, number> {
  process(value: number): number[] {
    return [value];
  }
  teardown(): void {
    process.stderr.write('{"level":"info","message":"torn down"}\n');
  }
}

register('millrace/test/pipelines/beam/life-stages', { TellOptions, ThrowAside, TearDown });
