import { expect } from 'chai';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import { structs } from '#pipelines/beam/sdk.ts';
import type { BuildBatchGraph } from '#pipelines/portable/batch/batch-job.ts';
import { runJobOn } from '#pipelines/portable/batch/run.ts';
import { Sink } from '#test/pipelines/beam/stages.ts';
import { eventually } from '#test/support/eventually.ts';
import { startJobService, type JobServiceHarness } from '#test/support/job-service-harness.ts';

const build: BuildBatchGraph = (begin) => void apply('sink', begin, asyncParDo(new Sink<unknown>()));
const environment = { kind: 'process', command: '/boot', environment: {} } as const;

describe('a bounded job', () => {
  let service: JobServiceHarness;
  beforeEach(async () => {
    service = await startJobService();
  });
  afterEach(() => service.close());

  it('keeps its workers from stage to stage, runs with the options of its engine, and is done when the runner says so', async () => {
    const engine = { jobEndpoint: service.endpoint, stopJob: () => Promise.resolve() };
    const done = runJobOn({ engine, environment, options: { parallelism: '2' } })('count', build);
    await eventually('it is submitted', () => service.calls.includes('run'));
    const [job] = service.jobs.values();
    if (job === undefined) throw new Error('nothing was submitted');
    const { pipelineOptions } = job.request;
    expect(pipelineOptions && structs.Struct.toJson(pipelineOptions)).to.include({
      'beam:option:environment_cache_millis:v1': '10000',
      'beam:option:parallelism:v1': '2',
      'beam:option:job_name:v1': 'count',
    });
    service.setState(job.id, 'DONE');
    service.endStream(job.id);
    await done;
  });
});
